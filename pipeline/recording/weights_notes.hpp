#pragma once

// What a file of ours says of the pixels and classes of its network, beside its arrays: in its
// group /lockstep, or an archive of Keras 3 in its metadata. Lists are JSON texts;
// docs/weights_layout.md has the names.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/weights/weights_file.hpp"
#include "trainer/data/dataset.hpp"

namespace lockstep::pipeline {

inline constexpr std::string_view kPixelOffsetNote = "pixel_offset";
inline constexpr std::string_view kPixelDivisorNote = "pixel_divisor";
inline constexpr std::string_view kClassNamesNote = "class_names";

// A list as its note, and a float comes back to the last bit.
std::string note_of(const std::vector<float>& values);
std::string note_of(const std::vector<std::string>& texts);

// A note as text, "" where the file has none.
std::string note_in(const storage::ModelFile& file, std::string_view name);

// The scale of the network's pixels; nothing where the file does not tell.
//   origin     names the file in messages
//   channels   of the network's input
// Throws StorageError (bad_data) for notes that are no scale of so many channels.
std::optional<trainer::PixelScale> pixel_scale_in(const storage::ModelFile& file,
                                                  const std::string& origin, int channels);

// The names by label; empty where the file does not tell.
std::vector<std::string> class_names_in(const storage::ModelFile& file);

}  // namespace lockstep::pipeline
