#pragma once

#include <filesystem>
#include <string>

#include "pipeline/store/store_reading.hpp"

namespace lockstep::pipeline {

struct ExportMlflowOptions {
    std::filesystem::path store = kDefaultStore;
    std::string experiment;  // empty: all
    std::filesystem::path out;
};

// `lockstep export mlflow --out mlruns`: a file store of MLflow's (mlflow_files.hpp). An experiment
// of MLflow's is one of ours with all runs in its list; a second export replaces what the first
// wrote of them, and leaves other experiments in the folder alone.
int export_mlflow(const ExportMlflowOptions& options);

}  // namespace lockstep::pipeline
