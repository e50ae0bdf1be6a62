#pragma once

// What every exported file says beside its weights: where they come from, and what the network
// takes and gives.

#include <string>
#include <utility>
#include <vector>

#include "pipeline/exporting/saved_network.hpp"
#include "trainer/data/dataset.hpp"

namespace lockstep::pipeline {

// Keys and texts, in a fixed order; lists are JSON:
//   class_names                  by label
//   pixel_offset, pixel_divisor  per channel: the network sees (pixel - offset) / divisor, with
//                                pixels from 0 to 255
//   pixel_scaling                that in words, and who has to do it
//   output                       what the last layer gives: probabilities or logits
//   run, seed, epoch, config_digest, data_digest, lockstep_version
//                                of the weights file, where it has them
using ExportNotes = std::vector<std::pair<std::string, std::string>>;

enum class ScalingPlace { inside, caller };
ExportNotes export_notes(const SavedNetwork& network, const trainer::PixelScale& scale,
                         ScalingPlace scaling);

// The notes as one JSON object of texts.
std::string to_json(const ExportNotes& notes);

}  // namespace lockstep::pipeline
