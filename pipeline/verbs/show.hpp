#pragma once

#include <filesystem>
#include <string>

#include "pipeline/store/row_options.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/tables/table_format.hpp"

namespace lockstep::pipeline {

struct ShowOptions {
    std::filesystem::path store = kDefaultStore;
    std::string run;  // id, unique beginning of an id, or name
    RowOptions rows;  // of its epochs, v_epochs
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep show RUN`: all that is known of one run. As CSV, its epochs alone.
int show(const ShowOptions& options);

}  // namespace lockstep::pipeline
