#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/store/row_options.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/tables/table_format.hpp"

namespace lockstep::pipeline {

enum class ComparedBy { run, architecture };

struct CompareOptions {
    std::filesystem::path store = kDefaultStore;
    std::vector<std::string> runs;  // empty: all of `experiment`, or all there are
    std::string experiment;
    std::vector<std::string> tags;  // runs that have all of these
    ComparedBy by = ComparedBy::run;
    std::string baseline;  // a run's name or id, or an architecture; empty: none
    RowOptions rows;       // of the compared figures and settings
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep compare [RUN...]`: runs side by side, with what their sources printed, and the settings
// that differ (docs/settings.md).
int compare(const CompareOptions& options);

}  // namespace lockstep::pipeline
