#include "pipeline/store/artifact_file.hpp"

#include <filesystem>
#include <vector>

#include "storage/files/sha256.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using storage::StorageError;

// That of its row first.
std::vector<fs::path> places_of(const storage::RunStore& store, const storage::ArtifactRow& row) {
    const storage::RunFiles files = store.run_files(row.run);
    std::vector<fs::path> places{store.root() / row.path};
    if (row.kind == storage::kCheckpointArtifact) places.push_back(files.previous_checkpoint);
    if (row.kind == storage::kPreviousCheckpointArtifact) places.push_back(files.checkpoint);
    return places;
}

ArtifactFile read(const fs::path& path, const std::string& sha256) {
    try {
        storage::Bytes content = storage::read_file(path);
        if (storage::sha256_hex(content) == sha256) return {std::move(content), ""};
        return {std::nullopt, "is another one than its database tells of"};
    } catch (const StorageError& error) {
        if (error.kind() == StorageError::Kind::missing) return {std::nullopt, "is missing"};
        if (error.kind() != StorageError::Kind::bad_data) throw;
        return {std::nullopt, "is no file that can be read"};
    }
}

}  // namespace

ArtifactFile find_artifact(const storage::RunStore& store, const storage::ArtifactRow& row) {
    ArtifactFile first;
    for (const fs::path& place : places_of(store, row)) {
        ArtifactFile file = read(place, row.sha256);
        if (file.content) return file;
        if (first.fault.empty()) first = std::move(file);
    }
    return first;
}

}  // namespace lockstep::pipeline
