#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/store/store_reading.hpp"

namespace lockstep::pipeline {

enum class ExportedRows { runs, epochs };
enum class ExportFormat {
    csv,
    json,
    keras,  // what Keras' CSVLogger writes of one training (keras_csv.hpp): epochs of one run
};

struct ExportTablesOptions {
    std::filesystem::path store = kDefaultStore;
    ExportedRows kind = ExportedRows::runs;
    std::vector<std::string> runs;  // of epochs; empty: all of `experiment`
    std::string experiment;         // empty: all
    ExportFormat format = ExportFormat::csv;
    bool is_for_spreadsheets = false;  // text must not become a formula
};

// `lockstep export runs`, `lockstep export epochs`: every column of v_runs and every setting, or of
// v_epochs, as CSV or JSON, for other programs. Epochs are read run by run, so that a training that
// writes meanwhile never waits long.
int export_tables(const ExportTablesOptions& options);

}  // namespace lockstep::pipeline
