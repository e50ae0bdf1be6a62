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
// DIR/<run>/train, validation and test (tensorboard_run.hpp), and for the dashboard HParams the
// settings in which these runs differ, in DIR and DIR/<run>. A second export replaces the files of
// the first.
int export_tensorboard(const ExportTensorboardOptions& options);

}  // namespace lockstep::pipeline
