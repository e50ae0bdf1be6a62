#pragma once

// What a store holds that nothing needs any more.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "storage/database/run_database.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {

enum class GarbageKind {
    previous_checkpoint,  // checkpoint.prev.h5 of a finished run
    checkpoint,           // checkpoint.h5 of a finished run: its optimizer's state
    temporary,            // files in the making, whose process is gone
    orphan,               // folders of runs that the database does not know
    database,             // free pages of lockstep.db
};
std::string_view to_string(GarbageKind kind);

struct Garbage {
    GarbageKind kind = GarbageKind::temporary;
    std::filesystem::path path;
    std::int64_t bytes = 0;
    std::string run{};  // whose it is, where it is a run's,
    int attempt = 0;    // and its newest attempt when it was judged
};

// Checkpoints are garbage where the run is finished and its final.h5 and predictions.h5 are what
// their rows tell of: all that evaluating, predicting, exporting and reporting read. Runs that are
// being trained are passed over.
// Throws StorageError.
std::vector<Garbage> find_garbage(const storage::RunStore& store,
                                  const storage::RunDatabase& database);

// Removes one piece, if it still is garbage: a checkpoint after its row, and only if no attempt has
// begun since; a folder only if no run has got it meanwhile. Returns the bytes that were freed.
// Throws StorageError, Failure.
std::int64_t remove_garbage(const storage::RunStore& store, storage::RunDatabase& database,
                            const Garbage& garbage);

}  // namespace lockstep::pipeline
