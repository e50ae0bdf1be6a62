"""Reads a log folder as TensorBoard does, with nothing but the standard library.

    read_tensorboard.py LOGDIR

Prints JSON: {folder: {"scalars": {tag: [[step, time, value], ...]}, "experiment", "session_start",
"session_end"}}, folders relative to LOGDIR. Checks what TFRecord readers check (lengths and masked
CRC-32C) and what the HParams plugin asks for (plugin name, version, a value of the summary).
"""

import json
import os
import struct
import sys

TAGS = {"_hparams_/experiment": ("experiment", 2),
        "_hparams_/session_start_info": ("session_start", 3),
        "_hparams_/session_end_info": ("session_end", 4)}


def check(is_so, *what):
    if not is_so:
        sys.exit("TensorBoard would not take it: " + " ".join(map(str, what)))


def crc32c(data):
    """Bit by bit, as the polynomial is defined."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    while data:
        check(len(data) >= 16, "a record is cut off")
        length, sum_of_length = struct.unpack_from("<QI", data)
        check(sum_of_length == masked(data[:8]), "a length does not have its sum")
        content = data[12:12 + length]
        check(len(data) >= length + 16, "a record is cut off")
        check(struct.unpack_from("<I", data, 12 + length)[0] == masked(content), "wrong sum")
        yield content
        data = data[16 + length:]


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift, more = at + 1, shift + 7, data[at] & 0x80
        if not more:
            return value, at


def message(data):
    """A message's fields: {number: [value, ...]}; bytes, whole numbers, or raw fixed words."""
    fields, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        else:
            check(kind in (1, 2, 5), "wire type", kind)
            if kind == 2:
                size, at = varint(data, at)
            else:
                size = 8 if kind == 1 else 4
            value, at = data[at:at + size], at + size
            check(len(value) == size, "a field is cut off")
        fields.setdefault(key >> 3, []).append(value)
    return fields


def text(fields, number):
    return fields.get(number, [b""])[0].decode()


def double(fields, number):
    return struct.unpack("<d", fields[number][0])[0] if number in fields else 0.0


def whole(fields, number):
    return fields.get(number, [0])[0]


def value_of(data):
    fields = message(data)
    check(len(fields) == 1, fields)
    return double(fields, 2) if 2 in fields else text(fields, 3)


def experiment(fields):
    hparams = []
    for info in map(message, fields.get(4, [])):
        domain = message(info[5][0])
        hparams.append({"name": text(info, 1), "description": text(info, 3),
                        "type": whole(info, 4), "values": [value_of(v) for v in domain[1]],
                        "differs": whole(info, 7) == 1})
    metrics = []
    for info in map(message, fields.get(5, [])):
        name = message(info[1][0])
        metrics.append({"group": text(name, 1), "tag": text(name, 2), "name": text(info, 3),
                        "dataset": whole(info, 5)})
    return {"time": double(fields, 3), "hparams": hparams, "metrics": metrics}


def session_start(fields):
    entries = map(message, fields.get(1, []))
    return {"hparams": {text(entry, 1): value_of(entry[2][0]) for entry in entries},
            "group": text(fields, 4), "time": double(fields, 5)}


def session_end(fields):
    return {"status": whole(fields, 1), "time": double(fields, 2)}


def plugin_data(tag, value):
    metadata = message(value[9][0])
    plugin = message(metadata[1][0])
    check(text(plugin, 1) == "hparams" and tag in TAGS, plugin)
    tensor = message(value[8][0])
    check(whole(tensor, 1) == 1, "the tensor is no DT_FLOAT")
    data = message(plugin[2][0])
    name, field = TAGS[tag]
    check(set(data) == {field}, "version 0 and one message:", data)
    return name, globals()[name](message(data[field][0]))


def read_events(path):
    with open(path, "rb") as file:
        events = [message(record) for record in records(file.read())]
    check(text(events[0], 3) == "brain.Event:2", path)
    result = {"scalars": {}}
    for event in events[1:]:
        for value in map(message, message(event[5][0])[1]):
            tag = text(value, 1)
            if 2 in value:
                number = struct.unpack("<f", value[2][0])[0]
                result["scalars"].setdefault(tag, []).append(
                    [whole(event, 2), double(event, 1), number])
            else:
                name, content = plugin_data(tag, value)
                result[name] = content
    return result


def main(root):
    folders = {}
    for folder, _, names in os.walk(root):
        files = [name for name in names if "tfevents" in name]
        check(len(files) <= 1, "several files draw over each other in", folder)
        if files:
            folders[os.path.relpath(folder, root)] = read_events(os.path.join(folder, files[0]))
    json.dump(folders, sys.stdout)


main(sys.argv[1])
