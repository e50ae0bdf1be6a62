#pragma once

// TensorBoard's event files: scalars over steps, which TensorBoard draws as curves, and what its
// plugins read.
//
// A file is a list of records [1]: the length of the data (u64, little-endian), the masked crc32c
// of these 8 bytes, the data, the masked crc32c of the data. The data are Event messages [2], the
// first of which names the version of the format.
//
// [1] tensorflow/core/lib/io/record_writer.h
// [2] tensorboard/compat/proto/event.proto, summary.proto

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace lockstep::storage {

struct ScalarEvent {
    std::string tag;         // the curve: epoch_loss
    std::int64_t step = 0;   // its abscissa; Keras counts epochs from 0
    double unix_time = 0.0;  // seconds since 1970, UTC
    float value = 0.0F;      // may be NaN
};

// A message to a plugin, under a tag that the plugin knows: an event at step 0.
struct PluginEvent {
    std::string tag;
    double unix_time = 0.0;
    std::string plugin;
    std::string content;  // a serialized message of the plugin's
};

// The bytes of a file, a function of the values alone.
//   unix_time   of the file's beginning
std::string tensorboard_file_bytes(double unix_time, std::span<const ScalarEvent> events);
std::string tensorboard_file_bytes(double unix_time, std::span<const PluginEvent> events);

// The Castagnoli CRC, as RFC 3720 (iSCSI), appendix B.4, has it: 0xe3069283 of "123456789".
std::uint32_t crc32c(std::string_view bytes);
// TensorFlow's mask, for checksums that stand inside of what is summed again.
std::uint32_t masked_crc32c(std::string_view bytes);

}  // namespace lockstep::storage
