#include "storage/files/protobuf.hpp"

#include <bit>
#include <cstddef>
#include <stdexcept>

namespace lockstep::storage {
namespace {

constexpr std::size_t kLargestMessage = (std::size_t{1} << 31) - 1;  // bytes

enum WireType { varint = 0, fixed64 = 1, length_delimited = 2, fixed32 = 5 };

}  // namespace

void ProtobufMessage::add_integer(int field, std::int64_t value) {
    add_key(field, WireType::varint);
    add_varint(static_cast<std::uint64_t>(value));  // negative ones take ten bytes
}

void ProtobufMessage::add_float(int field, float value) {
    add_key(field, WireType::fixed32);
    add_little_endian(std::bit_cast<std::uint32_t>(value), 4);
}

void ProtobufMessage::add_double(int field, double value) {
    add_key(field, WireType::fixed64);
    add_little_endian(std::bit_cast<std::uint64_t>(value), 8);
}

void ProtobufMessage::add_bytes(int field, std::string_view value) {
    add_key(field, WireType::length_delimited);
    add_varint(value.size());
    bytes_ += value;
}

void ProtobufMessage::add_message(int field, const ProtobufMessage& value) {
    add_bytes(field, value.bytes());
}

const std::string& ProtobufMessage::bytes() const {
    if (bytes_.size() > kLargestMessage) {
        throw std::length_error("a Protocol Buffers message may not exceed 2 GiB");
    }
    return bytes_;
}

void ProtobufMessage::add_key(int field, int wire_type) {
    add_varint((static_cast<std::uint64_t>(field) << 3) | static_cast<std::uint64_t>(wire_type));
}

void ProtobufMessage::add_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7f) | 0x80);
    bytes_ += static_cast<char>(value);
}

void ProtobufMessage::add_little_endian(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i, value >>= 8) bytes_ += static_cast<char>(value & 0xff);
}

}  // namespace lockstep::storage
