"""Reads an mlruns folder by the rules of MLflow's FileStore, with nothing but the standard library.

    read_mlflow.py MLRUNS

Prints JSON: {experiment name: {"id": ..., "runs": {run id: {"info", "params", "metrics", "tags",
"artifacts"}}}}. Ends in an error where MLflow would: names it refuses, lines it cannot parse, a run
that says another experiment than its folder's.
"""

import json
import os
import posixpath
import re
import sys
from urllib.parse import unquote, urlparse

NAME = re.compile(r"^[/\w.\- ]*$")
RUN_ID = re.compile(r"^[a-zA-Z0-9][\w\-]{0,255}$")
EXPERIMENT_ID = re.compile(r"^[a-zA-Z0-9][\w\-]{0,63}$")
LONGEST = {"params": 6000, "tags": 5000}
STATUS = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
RUN_KEYS = {"artifact_uri", "end_time", "experiment_id", "lifecycle_stage", "run_id", "run_name",
            "run_uuid", "start_time", "status", "user_id"}


def check(is_so, *what):
    if not is_so:
        sys.exit("MLflow would not take it: " + " ".join(map(str, what)))


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def read_yaml(path):
    """The YAML of flat mappings: quoted and plain texts, whole numbers, null, []."""
    values = {}
    for line in read(path).splitlines():
        key, colon, text = line.partition(": ")
        check(colon and re.fullmatch(r"\w+", key) and key not in values, path, line)
        if text.startswith("'"):
            check(re.fullmatch(r"'([^']|'')*'", text), path, line)
            values[key] = text[1:-1].replace("''", "'")
        elif text == "null":
            values[key] = None
        elif text == "[]":
            values[key] = []
        elif re.fullmatch(r"-?\d+", text):
            values[key] = int(text)
        else:
            check(re.fullmatch(r"[A-Za-z_]+", text), path, line)
            values[key] = text
    return values


def check_name(name):
    normal = posixpath.normpath(name)
    check(NAME.match(name) and normal == name and name not in (".", "..") and len(name) <= 250, name)


def read_metric(text):
    points = []
    for line in text.splitlines():
        parts = line.strip().split(" ")
        check(len(parts) == 3, line)
        points.append([int(parts[0]), repr(float(parts[1])), int(parts[2])])
    check(points, "a metric without values")
    return points


def read_values(run, kind):
    values = {}
    for name in os.listdir(os.path.join(run, kind)):
        check_name(name)
        text = read(os.path.join(run, kind, name))
        check(len(text) <= LONGEST.get(kind, len(text)), name, "is too long")
        values[name] = read_metric(text) if kind == "metrics" else text
    return values


def read_run(folder, experiment_id):
    info = read_yaml(os.path.join(folder, "meta.yaml"))
    check(RUN_KEYS <= info.keys(), info)
    check(info["experiment_id"] == experiment_id, info)
    check(info["run_id"] == info["run_uuid"] == os.path.basename(folder), info)
    check(RUN_ID.match(info["run_id"]), info)
    info["status"] = STATUS[info["status"]]
    uri = urlparse(info["artifact_uri"])
    check(uri.scheme == "file" and uri.netloc == "", info)
    artifacts = {name: read(os.path.join(unquote(uri.path), name))
                 for name in os.listdir(unquote(uri.path))}
    parts = {kind: read_values(folder, kind) for kind in ("params", "metrics", "tags")}
    check(parts["tags"]["mlflow.runName"] == info["run_name"], info)
    return {"info": info, "artifacts": artifacts, **parts}


def read_experiment(folder):
    meta = read_yaml(os.path.join(folder, "meta.yaml"))
    check(meta["experiment_id"] == os.path.basename(folder), meta)
    check(EXPERIMENT_ID.match(meta["experiment_id"]), meta)
    check(meta["lifecycle_stage"] == "active" and meta["name"], meta)
    runs = {name: read_run(os.path.join(folder, name), meta["experiment_id"])
            for name in os.listdir(folder) if os.path.isdir(os.path.join(folder, name))}
    return meta["name"], {"id": meta["experiment_id"], "runs": runs}


def main(root):
    experiments = [read_experiment(os.path.join(root, name)) for name in os.listdir(root)]
    check(len(dict(experiments)) == len(experiments), "two experiments of one name")
    json.dump(dict(experiments), sys.stdout)


main(sys.argv[1])
