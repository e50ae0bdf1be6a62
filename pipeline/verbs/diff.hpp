#pragma once

#include <filesystem>
#include <string>

#include "pipeline/store/store_reading.hpp"
#include "reports/tables/table_format.hpp"

namespace lockstep::pipeline {

struct DiffOptions {
    std::filesystem::path store = kDefaultStore;
    std::string first;  // runs: id, unique beginning of an id, or name
    std::string second;
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep diff FIRST SECOND`: the settings in which two runs differ, and the figures that moved,
// each with whether that is beyond seed noise. The noise comes from runs of the store that differ
// from one of the two in their seed alone.
int diff(const DiffOptions& options);

}  // namespace lockstep::pipeline
