#pragma once

// From what the command line says of an experiment to its plan.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/planning/plan.hpp"

namespace lockstep::pipeline {

// How an experiment file is read: the same for every verb that takes one.
struct SpecOptions {
    std::filesystem::path file;
    std::vector<std::string> only;              // run names; empty: all
    std::vector<std::string> settings;          // key=value, in the order given; the last one wins
    std::optional<std::filesystem::path> data;  // stands for data.path, relative to the caller
    std::optional<std::vector<std::string>> saved_classes{};  // see ReadOptions
};

// The file's bytes. Throws StorageError (missing, no_permission, ...).
std::string read_experiment_file(const std::filesystem::path& path);

// Reads the text with the options' settings, plans it for `ranks` ranks and keeps the runs that
// `--only` names (a run's name, or that of the `[[run]]` it came from). A pure function, so that
// ranks that were given the same text plan the same.
// Throws SpecError, and UsageError for a name that no run has.
Plan plan_experiment(const std::string& text, const SpecOptions& options, int ranks = 1);

}  // namespace lockstep::pipeline
