#pragma once

// data.dataset, and the keys of [data] that one data set takes and others do not. Which there are
// is told by the data sets themselves (trainer/data/dataset_kind.hpp).

#include <string>
#include <vector>

#include "pipeline/experiment/spec.hpp"
#include "pipeline/settings/table_reader.hpp"
#include "trainer/config/train_config.hpp"

namespace lockstep::pipeline {

// Sets config.dataset and config.settings. Keys that are other data sets' alone are checked, and
// then left out.
void read_dataset_settings(TableReader& reader, trainer::DataConfig& config);

// A note for each key that only data sets other than the run's take.
void note_ignored_settings(const RunSpec& run, std::vector<std::string>& notes);

}  // namespace lockstep::pipeline
