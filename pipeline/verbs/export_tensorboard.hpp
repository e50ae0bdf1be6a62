#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/store/store_reading.hpp"

namespace lockstep::pipeline {

struct ExportTensorboardOptions {
    std::filesystem::path store = kDefaultStore;
    std::vector<std::string> runs;  // empty: all of `experiment`, or all there are
    std::string experiment;
    std::filesystem::path out;
};

// `lockstep export tensorboard --out DIR`: curves as Keras' TensorBoard callback writes them, in
// DIR/<run>/train and DIR/<run>/validation. Tags epoch_loss, epoch_accuracy and
// epoch_learning_rate, steps counted from 0. A second export replaces the files of the first.
int export_tensorboard(const ExportTensorboardOptions& options);

}  // namespace lockstep::pipeline
