#pragma once

#include <filesystem>
#include <string>

#include "pipeline/store/store_reading.hpp"
#include "reports/tables/table_format.hpp"

namespace lockstep::pipeline {

struct QueryOptions {
    std::filesystem::path store = kDefaultStore;
    std::string sql;
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep query "SQL"`: one reading statement on the run database.
int query(const QueryOptions& options);

}  // namespace lockstep::pipeline
