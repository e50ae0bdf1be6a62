#pragma once

#include <string_view>

#include "pipeline/care/run_check.hpp"
#include "storage/records/records.hpp"

namespace lockstep::pipeline {

// Writes best.h5 or final.h5 anew from what checkpoint.h5 holds, if that gives exactly the bytes
// whose SHA-256 the row tells. False where it does not, or there is no checkpoint.
bool rebuild_weights(const CheckedRun& checked, const storage::ArtifactRow& row,
                     const std::filesystem::path& path);

// The same without writing.
bool can_rebuild_weights(const CheckedRun& checked, const storage::ArtifactRow& row);

}  // namespace lockstep::pipeline
