#pragma once

#include <filesystem>
#include <optional>

namespace lockstep::pipeline {

struct ImportOptions {
    std::filesystem::path model;
    std::optional<std::filesystem::path> out;      // the experiment file; else standard output
    std::optional<std::filesystem::path> weights;  // else MODEL-weights.h5 beside `out`
};

// `lockstep import MODEL`: an experiment file for a model of Keras, and a file of its weights.
int import_model(const ImportOptions& options);

}  // namespace lockstep::pipeline
