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
    bool shows_all = false;
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep show RUN`: one run's figures, curves and epochs; with `shows_all`, and as JSON, all
// that is known of it. As CSV, its epochs alone.
int show(const ShowOptions& options);

}  // namespace lockstep::pipeline
