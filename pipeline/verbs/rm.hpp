#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/care/consent.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/tables/table_format.hpp"

namespace lockstep::pipeline {

// All that is said must hold for a run; at least one thing is.
struct RmOptions {
    std::vector<std::string> runs;  // ids, unique beginnings of ids, or names
    std::string experiment;
    bool is_failed_only = false;
    std::string where;  // an SQL expression over v_runs
    ConsentOptions consent;
    std::filesystem::path store = kDefaultStore;
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep rm RUN...`: takes runs out of the store, rows and files.
int rm(const RmOptions& options);

}  // namespace lockstep::pipeline
