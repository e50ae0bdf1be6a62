#pragma once

#include <filesystem>
#include <string>

#include "pipeline/store/store_reading.hpp"
#include "reports/tables/table_format.hpp"

namespace lockstep::pipeline {

enum class ExportedRows { runs, epochs };

struct ExportTablesOptions {
    std::filesystem::path store = kDefaultStore;
    ExportedRows kind = ExportedRows::runs;
    std::string experiment;                                   // empty: all
    reports::TableFormat format = reports::TableFormat::csv;  // csv or json
    bool is_for_spreadsheets = false;                         // text must not become a formula
};

// `lockstep export runs`, `lockstep export epochs`: every column of v_runs and every setting, or of
// v_epochs, as CSV or JSON, for other programs. Epochs are read run by run, so that a training that
// writes meanwhile never waits long.
int export_tables(const ExportTablesOptions& options);

}  // namespace lockstep::pipeline
