#pragma once

#include <filesystem>
#include <string>

#include "pipeline/store/store_reading.hpp"

namespace lockstep::pipeline {

struct ReportOptions {
    std::filesystem::path store = kDefaultStore;
    std::string experiment;     // empty: the only one of the store
    std::filesystem::path out;  // the folder of the four files; empty: in the store
};

// `lockstep report`: writes report.html, report.md, report.csv and pairs.csv of an experiment and
// prints where they are. Works while a training goes on.
int report(const ReportOptions& options);

// Writes the four files, each whole or not at all, and returns the path of the HTML file.
//   out   their folder; empty: reports/<experiment>/ in the store
// Throws StorageError; Failure (kExitMissingInput) if the store has no such experiment.
std::filesystem::path write_report(const std::filesystem::path& store,
                                   const std::string& experiment,
                                   const std::filesystem::path& out = {});

}  // namespace lockstep::pipeline
