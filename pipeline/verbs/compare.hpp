#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/store/store_reading.hpp"
#include "reports/tables/table_format.hpp"

namespace lockstep::pipeline {

enum class ComparedBy { run, architecture };

struct CompareOptions {
    std::filesystem::path store = kDefaultStore;
    std::vector<std::string> runs;  // empty: all of `experiment`, or all there are
    std::string experiment;
    ComparedBy by = ComparedBy::run;
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep compare [RUN...]`: runs side by side, with what their sources printed.
int compare(const CompareOptions& options);

}  // namespace lockstep::pipeline
