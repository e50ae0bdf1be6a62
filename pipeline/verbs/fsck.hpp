#pragma once

#include <filesystem>

#include "pipeline/store/store_reading.hpp"
#include "reports/tables/table_format.hpp"

namespace lockstep::pipeline {

struct FsckOptions {
    std::filesystem::path store = kDefaultStore;
    bool repairs = false;
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep fsck`: what is wrong in a store, and with --repair puts it right. kExitBadData where
// something is, or stays, wrong.
int fsck(const FsckOptions& options);

}  // namespace lockstep::pipeline
