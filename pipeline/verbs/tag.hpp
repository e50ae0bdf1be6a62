#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/store/store_reading.hpp"
#include "reports/tables/table_format.hpp"

namespace lockstep::pipeline {

struct TagOptions {
    std::vector<std::string> words;  // runs: ids, unique beginnings of ids, names; +TAG adds one
    std::vector<std::string> removed;
    std::optional<std::string> note{};  // "" removes it
    std::filesystem::path store = kDefaultStore;
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep tag RUN... +TAG`: a user's own words for runs, and what they are then. A training, or a
// merge, leaves them as they are.
int tag(const TagOptions& options);

}  // namespace lockstep::pipeline
