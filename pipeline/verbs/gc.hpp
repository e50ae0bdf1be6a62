#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/care/consent.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/tables/table_format.hpp"

namespace lockstep::pipeline {

struct GcOptions {
    std::vector<std::string> kept;  // kinds that stay: see GarbageKind
    ConsentOptions consent;
    std::filesystem::path store = kDefaultStore;
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep gc`: frees the space of what nothing needs any more.
int gc(const GcOptions& options);

}  // namespace lockstep::pipeline
