#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/store/store_reading.hpp"

namespace lockstep::pipeline {

struct ReportOptions {
    std::filesystem::path store = kDefaultStore;
    std::vector<std::string> experiments;  // empty: the only one of the store
    std::string where;          // only runs for which this holds, as of `ls`; empty: all of them
    std::filesystem::path out;  // the folder of the four files; empty: in the store
};

// `lockstep report`: writes report.html, report.md, report.csv and pairs.csv of experiments, prints
// where they are and who won. Works while a training goes on.
int report(const ReportOptions& options);

struct WrittenReport {
    std::filesystem::path html;
    std::string verdict;  // verdict_lines()
};

// Writes the four files, each whole or not at all, and returns the path of the HTML file. In the
// store they lie in reports/<experiment>/, or, of several or of some runs, in a folder that no
// experiment can have: "a+b", "a+where-1f3a5c7e".
// Throws StorageError; UsageError for a condition that is none; Failure (kExitMissingInput) if the
// store has no such experiment, or no run for which the condition holds.
WrittenReport write_report(const ReportOptions& options);

}  // namespace lockstep::pipeline
