#pragma once

// data.augmentation: the changes of training images.

#include <string>
#include <vector>

#include "pipeline/settings/table_reader.hpp"
#include "trainer/config/augmentation_config.hpp"

namespace lockstep::pipeline {

// Of the table [data] that `data` reads.
std::vector<trainer::AugmentationConfig> read_augmentation(TableReader& data);

// The list as TOML, every key written out: equal lists have equal texts.
std::string augmentation_text(const std::vector<trainer::AugmentationConfig>& changes);

}  // namespace lockstep::pipeline
