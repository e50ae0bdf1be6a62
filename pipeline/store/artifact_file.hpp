#pragma once

// The file that an artifact's row tells of: the bytes of that SHA-256, or why there are none.

#include <optional>
#include <string>

#include "storage/files/atomic_file.hpp"
#include "storage/files/run_store.hpp"
#include "storage/records/records.hpp"

namespace lockstep::pipeline {

struct ArtifactFile {
    std::optional<storage::Bytes> content;
    std::string fault;  // "is missing": where there is no content
};

// A crash may leave a checkpoint under the name of the one before or after it: it is looked for
// under both. Throws StorageError where the disk cannot be read: that says nothing of the file.
ArtifactFile find_artifact(const storage::RunStore& store, const storage::ArtifactRow& row);

}  // namespace lockstep::pipeline
