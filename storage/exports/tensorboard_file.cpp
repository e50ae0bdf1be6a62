#include "storage/exports/tensorboard_file.hpp"

#include <array>

#include "storage/files/protobuf.hpp"

namespace lockstep::storage {
namespace {

// Fields of event.proto, summary.proto, tensor.proto and tensor_shape.proto.
constexpr int kEventWallTime = 1;
constexpr int kEventStep = 2;
constexpr int kEventFileVersion = 3;
constexpr int kEventSummary = 5;
constexpr int kSummaryValue = 1;
constexpr int kValueTag = 1;
constexpr int kValueSimpleValue = 2;
constexpr int kValueTensor = 8;
constexpr int kValueMetadata = 9;
constexpr int kMetadataPluginData = 1;
constexpr int kPluginName = 1;
constexpr int kPluginContent = 2;
constexpr int kTensorType = 1;
constexpr int kTensorShape = 2;
constexpr int kShapeDimension = 2;
constexpr int kFloatType = 1;  // DT_FLOAT

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

ProtobufMessage event_message(double unix_time, std::int64_t step, const ProtobufMessage& value) {
    ProtobufMessage summary;
    summary.add_message(kSummaryValue, value);
    ProtobufMessage event;
    event.add_double(kEventWallTime, unix_time);
    event.add_integer(kEventStep, step);
    event.add_message(kEventSummary, summary);
    return event;
}

ProtobufMessage message_of(const ScalarEvent& scalar) {
    ProtobufMessage value;
    value.add_bytes(kValueTag, scalar.tag);
    value.add_float(kValueSimpleValue, scalar.value);
    return event_message(scalar.unix_time, scalar.step, value);
}

// A tensor of shape [0]: TensorBoard's own plugins give their messages such a value, since readers
// pass over summaries without one.
ProtobufMessage null_tensor() {
    ProtobufMessage shape;
    shape.add_message(kShapeDimension, ProtobufMessage());  // its size, 0, is the default
    ProtobufMessage tensor;
    tensor.add_integer(kTensorType, kFloatType);
    tensor.add_message(kTensorShape, shape);
    return tensor;
}

ProtobufMessage message_of(const PluginEvent& event) {
    ProtobufMessage plugin;
    plugin.add_bytes(kPluginName, event.plugin);
    plugin.add_bytes(kPluginContent, event.content);
    ProtobufMessage metadata;
    metadata.add_message(kMetadataPluginData, plugin);
    ProtobufMessage value;
    value.add_bytes(kValueTag, event.tag);
    value.add_message(kValueTensor, null_tensor());
    value.add_message(kValueMetadata, metadata);
    return event_message(event.unix_time, 0, value);
}

template <class Event>
std::string file_of(double unix_time, std::span<const Event> events) {
    ProtobufMessage version;
    version.add_double(kEventWallTime, unix_time);
    version.add_bytes(kEventFileVersion, "brain.Event:2");
    std::string file;
    append_record(file, version);
    for (const Event& event : events) append_record(file, message_of(event));
    return file;
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
    return file_of(unix_time, events);
}

std::string tensorboard_file_bytes(double unix_time, std::span<const PluginEvent> events) {
    return file_of(unix_time, events);
}

}  // namespace lockstep::storage
