#pragma once

#include <filesystem>
#include <optional>

#include "pipeline/planning/experiment_file.hpp"

namespace lockstep::pipeline {

struct PreviewOptions {
    SpecOptions spec;
    std::optional<std::filesystem::path> out;  // else preview.png; of several runs preview-RUN.png
    int images = 8;
    int epochs = 8;
};

// `lockstep preview FILE`: training images as they are and as the first epochs see them, a PNG for
// every augmentation of the file.
int preview(const PreviewOptions& options);

}  // namespace lockstep::pipeline
