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
// kept; of equal ones, and of finished ones with other figures (which is told), the one that was
// there. Doing it again changes nothing. Throws StorageError.
int merge(const MergeOptions& options);

}  // namespace lockstep::pipeline
