#pragma once

// Protocol Buffers' wire format, as far as ONNX and TensorBoard need it: what a message holds is
// the concatenation of its fields, each a key (number and kind) and a value.
//
// The encoding: https://protobuf.dev/programming-guides/encoding/

#include <cstdint>
#include <string>
#include <string_view>

namespace lockstep::storage {

// One message in the making. Fields stand in the order in which they are added; a repeated field is
// added once per element.
class ProtobufMessage {
public:
    void add_integer(int field, std::int64_t value);  // int32, int64, enum: as a varint
    void add_float(int field, float value);
    void add_double(int field, double value);
    void add_bytes(int field, std::string_view value);  // string, bytes
    void add_message(int field, const ProtobufMessage& value);

    // Throws std::length_error above 2 GiB - 1, which no reader takes.
    const std::string& bytes() const;

private:
    void add_key(int field, int wire_type);
    void add_varint(std::uint64_t value);
    void add_little_endian(std::uint64_t value, int size);

    std::string bytes_;
};

}  // namespace lockstep::storage
