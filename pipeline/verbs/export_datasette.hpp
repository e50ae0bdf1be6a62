#pragma once

#include <filesystem>

#include "pipeline/store/store_reading.hpp"

namespace lockstep::pipeline {

struct ExportDatasetteOptions {
    std::filesystem::path store = kDefaultStore;
    std::filesystem::path out;
};

// `lockstep export datasette --out metadata.json`: what Datasette shows above the tables, views and
// columns of lockstep.db: descriptions and units, and questions that people ask of a store.
int export_datasette(const ExportDatasetteOptions& options);

}  // namespace lockstep::pipeline
