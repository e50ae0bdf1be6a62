#pragma once

// What a file of ours says of the pixels and classes of its network, beside its arrays: in its
// group /lockstep, or an archive of Keras 3 in its metadata. Lists are JSON texts;
// docs/weights_layout.md has the names.

#include <array>
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
inline constexpr std::string_view kPixelScalingNote = "pixel_scaling";  // who scales, in words
inline constexpr std::string_view kOutputNote = "output";  // "probabilities" or "logits"

// What the weights are, where their file says it.
inline constexpr std::array<std::string_view, 6> kOriginNotes{
    "run", "seed", "epoch", "config_digest", "data_digest", "lockstep_version"};

// A list as its note, and a float comes back to the last bit.
std::string note_of(const std::vector<float>& values);
std::string note_of(const std::vector<std::string>& texts);

// A note as text, "" where the file has none.
std::string note_in(const storage::ModelFile& file, std::string_view name);

// Whether the weights were trained here.
bool is_of_lockstep(const storage::ModelFile& file);

// What the file says of its weights and their network, as a copy of them says it again; nothing
// where it says nothing. How far a training is, in checkpoints, is not among it.
std::optional<storage::StateGroup> notes_in(const storage::ModelFile& file);

// The scale of the network's pixels; nothing where the file does not tell.
//   origin     names the file in messages
//   channels   of the network's input
// Throws StorageError (bad_data) for notes that are no scale of so many channels.
std::optional<trainer::PixelScale> pixel_scale_in(const storage::ModelFile& file,
                                                  const std::string& origin, int channels);

// The names by label; empty where the file does not tell.
std::vector<std::string> class_names_in(const storage::ModelFile& file);

}  // namespace lockstep::pipeline
