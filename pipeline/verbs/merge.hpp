#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/store/store_reading.hpp"

namespace lockstep::pipeline {

struct MergeOptions {
    std::vector<std::string> from;
    std::filesystem::path store = kDefaultStore;
};

// `lockstep merge FROM... --store INTO`: brings the runs of other stores into one, with their
// files, and leaves the others as they are. Of a run that both have, the one that is further is
// kept, if the files that it needs are whole; of equal ones, of finished ones with other figures
// and of those on other data (which is told), the one that was there. Doing it again changes
// nothing. Throws StorageError.
int merge(const MergeOptions& options);

}  // namespace lockstep::pipeline
