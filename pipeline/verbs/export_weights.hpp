#pragma once

#include <filesystem>
#include <optional>

#include "pipeline/exporting/saved_network.hpp"

namespace lockstep::pipeline {

enum class WeightsFormat { keras_h5, keras_weights, keras, onnx };

struct ExportWeightsOptions {
    SavedNetworkOptions network;
    WeightsFormat format = WeightsFormat::keras_h5;
    std::optional<std::filesystem::path> out;  // unset: the run's name, here
};

// `lockstep export weights RUN_OR_WEIGHTS --format FORMAT`: a saved network in a file that other
// programs read (docs/exports.md). Prints the file's path; how it wants its pixels goes to stderr.
// Two exports of the same weights are equal to the byte.
int export_weights(const ExportWeightsOptions& options);

}  // namespace lockstep::pipeline
