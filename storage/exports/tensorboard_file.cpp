#include "storage/exports/tensorboard_file.hpp"

#include <array>

#include "storage/files/protobuf.hpp"

namespace lockstep::storage {
namespace {

// Fields of event.proto and summary.proto.
constexpr int kEventWallTime = 1;
constexpr int kEventStep = 2;
constexpr int kEventFileVersion = 3;
constexpr int kEventSummary = 5;
constexpr int kSummaryValue = 1;
constexpr int kValueTag = 1;
constexpr int kValueSimpleValue = 2;

constexpr std::array<std::uint32_t, 256> crc_table() {
    constexpr std::uint32_t kReversedPolynomial = 0x82f63b78;
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc & 1U) != 0 ? (crc >> 1U) ^ kReversedPolynomial : crc >> 1U;
        }
        table[byte] = crc;
    }
    return table;
}

void append_little_endian(std::string& bytes, std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xffU);
}

void append_record(std::string& file, const ProtobufMessage& event) {
    const std::string& data = event.bytes();
    std::string length;
    append_little_endian(length, data.size(), 8);
    file += length;
    append_little_endian(file, masked_crc32c(length), 4);
    file += data;
    append_little_endian(file, masked_crc32c(data), 4);
}

ProtobufMessage scalar_message(const ScalarEvent& scalar) {
    ProtobufMessage value;
    value.add_bytes(kValueTag, scalar.tag);
    value.add_float(kValueSimpleValue, scalar.value);
    ProtobufMessage summary;
    summary.add_message(kSummaryValue, value);
    ProtobufMessage event;
    event.add_double(kEventWallTime, scalar.unix_time);
    event.add_integer(kEventStep, scalar.step);
    event.add_message(kEventSummary, summary);
    return event;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
    static constexpr std::array<std::uint32_t, 256> kTable = crc_table();
    std::uint32_t crc = 0xffffffff;
    for (const char byte : bytes) {
        crc = (crc >> 8U) ^ kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xffU];
    }
    return ~crc;
}

std::uint32_t masked_crc32c(std::string_view bytes) {
    const std::uint32_t crc = crc32c(bytes);
    return ((crc >> 15U) | (crc << 17U)) + 0xa282ead8U;
}

std::string tensorboard_file_bytes(double unix_time, std::span<const ScalarEvent> events) {
    ProtobufMessage version;
    version.add_double(kEventWallTime, unix_time);
    version.add_bytes(kEventFileVersion, "brain.Event:2");
    std::string file;
    append_record(file, version);
    for (const ScalarEvent& scalar : events) append_record(file, scalar_message(scalar));
    return file;
}

}  // namespace lockstep::storage
