#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/store/row_options.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/tables/table_format.hpp"

namespace lockstep::pipeline {

struct LsOptions {
    std::filesystem::path store = kDefaultStore;
    std::string experiment;          // empty: all
    bool lists_experiments = false;  // instead of runs
    std::vector<std::string> tags;   // runs that have all of them
    RowOptions rows;                 // of v_runs and settings
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep ls [EXPERIMENT]`: the runs of the store, the newest first, with the settings that
// differ (docs/settings.md).
int ls(const LsOptions& options);

}  // namespace lockstep::pipeline
