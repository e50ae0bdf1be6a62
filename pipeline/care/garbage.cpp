#include "pipeline/care/garbage.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <set>

#include "pipeline/care/run_holder.hpp"
#include "pipeline/care/run_removal.hpp"
#include "pipeline/care/stray_files.hpp"
#include "pipeline/training/run_lock.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/sha256.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using storage::RunState;

bool is_whole(const fs::path& file, const storage::ArtifactRow& row) {
    try {
        return storage::sha256_hex(storage::read_file(file)) == row.sha256;
    } catch (const storage::StorageError&) {
        return false;
    }
}

// Whether the run can do without its checkpoints.
bool has_results(const storage::RunFiles& files, const storage::RunDatabase& database,
                 const std::string& run) {
    const auto weights = database.artifact(run, storage::kFinalArtifact);
    const auto predictions = database.artifact(run, storage::kPredictionsArtifact);
    return weights && predictions && is_whole(files.final_weights, *weights) &&
           is_whole(files.predictions, *predictions);
}

// As it stands at this moment, not when a list was read.
bool is_finished(const storage::RunDatabase& database, const std::string& run) {
    const auto row = database.find_run(run);
    return row && row->state == RunState::finished;
}

void add_checkpoints(const storage::RunStore& store, const storage::RunDatabase& database,
                     const std::string& run, std::vector<Garbage>& found) {
    const storage::RunFiles files = store.run_files(run);
    bool is_done = false;
    int attempt = 0;
    database.read_at_once([&] {
        is_done = is_finished(database, run);
        attempt = newest_attempt(database, run);
    });
    if (!is_done || holder_of(files.folder) == RunHolder::somebody) return;
    const std::array candidates{Garbage{GarbageKind::previous_checkpoint, files.previous_checkpoint,
                                        bytes_of(files.previous_checkpoint), run, attempt},
                                Garbage{GarbageKind::checkpoint, files.checkpoint,
                                        bytes_of(files.checkpoint), run, attempt}};
    const auto is_there = [](const Garbage& each) { return each.bytes > 0; };
    if (std::ranges::none_of(candidates, is_there)) return;
    if (!has_results(files, database, run)) return;
    std::ranges::copy_if(candidates, std::back_inserter(found), is_there);
}

void add_strays(const storage::RunStore& store, const storage::RunDatabase& database,
                std::vector<Garbage>& found) {
    for (const StrayFile& stray : stray_files(store, [&] { return run_ids(database); })) {
        if (stray.kind == StrayKind::temporary_abandoned) {
            found.push_back({GarbageKind::temporary, stray.path, stray.bytes});
        } else if (stray.kind == StrayKind::run_folder &&
                   holder_of(stray.path) != RunHolder::somebody) {
            found.push_back({GarbageKind::orphan, stray.path, stray.bytes});
        }
    }
}

std::string_view artifact_of(GarbageKind kind) {
    return kind == GarbageKind::checkpoint ? storage::kCheckpointArtifact
                                           : storage::kPreviousCheckpointArtifact;
}

// Calls `work` while nobody can begin the run, if nobody has since its checkpoints were judged.
void do_if_unneeded(const storage::RunStore& store, storage::RunDatabase& database,
                    const Garbage& garbage, const std::function<void()>& work) {
    database.write_at_once([&] {
        require_not_held(store, database, garbage.run);
        const bool is_same = newest_attempt(database, garbage.run) == garbage.attempt;
        if (!is_same || !is_finished(database, garbage.run)) return;
        // Against `fsck` and `merge`. Not beyond the transaction: a job that starts meanwhile would
        // leave the run to its holder.
        const RunLock lock = RunLock::require(store.run_files(garbage.run).folder);
        work();
    });
}

// The row goes first, and for good: rows never tell of files that are not there.
std::int64_t remove_checkpoint(const storage::RunStore& store, storage::RunDatabase& database,
                               const Garbage& garbage) {
    std::int64_t bytes = 0;
    do_if_unneeded(store, database, garbage,
                   [&] { database.remove_artifact(garbage.run, artifact_of(garbage.kind)); });
    do_if_unneeded(store, database, garbage, [&] {
        const bool has_row = database.artifact(garbage.run, artifact_of(garbage.kind)).has_value();
        if (!has_row) bytes = remove_path(garbage.path);
    });
    return bytes;
}

std::int64_t shrink(storage::RunDatabase& database, const fs::path& path) {
    const std::int64_t before = bytes_of(path);
    database.shrink();
    return before - bytes_of(path);
}

}  // namespace

std::string_view to_string(GarbageKind kind) {
    switch (kind) {
        case GarbageKind::previous_checkpoint:
            return "previous";
        case GarbageKind::checkpoint:
            return "checkpoint";
        case GarbageKind::temporary:
            return "temporary";
        case GarbageKind::orphan:
            return "orphan";
        case GarbageKind::database:
            return "database";
    }
    return "";
}

std::vector<Garbage> find_garbage(const storage::RunStore& store,
                                  const storage::RunDatabase& database) {
    std::vector<Garbage> found;
    for (const std::string& run : run_ids(database)) {
        if (storage::is_safe_run_id(run)) add_checkpoints(store, database, run, found);
    }
    add_strays(store, database, found);
    if (const std::int64_t bytes = database.unused_bytes(); bytes > 0) {
        found.push_back({GarbageKind::database, store.database(), bytes});
    }
    return found;
}

std::int64_t remove_garbage(const storage::RunStore& store, storage::RunDatabase& database,
                            const Garbage& garbage) {
    switch (garbage.kind) {
        case GarbageKind::previous_checkpoint:
        case GarbageKind::checkpoint:
            return remove_checkpoint(store, database, garbage);
        case GarbageKind::temporary:
            return remove_abandoned(garbage.path);
        case GarbageKind::orphan:
            return remove_orphan(database, garbage.path);
        case GarbageKind::database:
            return shrink(database, garbage.path);
    }
    return 0;
}

}  // namespace lockstep::pipeline
