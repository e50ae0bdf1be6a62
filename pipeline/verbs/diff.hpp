#pragma once

#include <filesystem>
#include <string>

#include "pipeline/store/store_reading.hpp"
#include "reports/tables/table_format.hpp"

namespace lockstep::pipeline {

struct DiffOptions {
    std::filesystem::path store = kDefaultStore;
    std::string first;  // id, beginning of an id, or name: a run, or all seeds of an architecture
    std::string second;
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep diff FIRST SECOND`: the settings in which two runs differ, and the figures that moved,
// each with whether that is beyond seed noise. The noise comes from runs of the store that differ
// from one of the two in their seed alone. Of two designs the last line says which architecture is
// better, over all their seeds, as the report does. Where a name stands for several seeds, the
// architectures are compared by their means.
// Throws UsageError for a name of several architectures.
int diff(const DiffOptions& options);

}  // namespace lockstep::pipeline
