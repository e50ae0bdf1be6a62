#pragma once

// A checkpoint: a model.h5 whose group /lockstep holds everything that continuing the run exactly
// needs. Read back, every number has the same bits.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/files/atomic_file.hpp"
#include "storage/records/records.hpp"
#include "storage/weights/weights_file.hpp"

namespace lockstep::storage {

// How far a monitored figure has come.
struct BestValue {
    double value = 0.0;
    int epoch = 0;         // from 1; 0: none yet
    int epochs_since = 0;  // epochs without improvement
    bool operator==(const BestValue&) const = default;
};

// How far a schedule that waits for a plateau has come.
struct PlateauProgress {
    BestValue best;
    int epochs_waited = 0;
    int cooldown = 0;
    double learning_rate = 0.0;
    bool operator==(const PlateauProgress&) const = default;
};

// What was trained of an epoch that is not finished; all zero between two epochs.
struct EpochProgress {
    std::int64_t steps = 0;
    double loss_sum = 0.0;
    std::int64_t correct = 0;
    std::int64_t count = 0;
    bool operator==(const EpochProgress&) const = default;
};

struct CheckpointState {
    // What the run is; compared before it is continued.
    std::string run;
    std::uint64_t seed = 0;
    std::string config_digest;
    std::string data_digest;
    // What it was computed with.
    std::string lockstep_version;
    std::string onednn_version;
    std::string isa;
    std::string simd_target;
    std::int64_t arithmetic = 1;  // as the program counts its ways of rounding
    // How far it is.
    int epochs_finished = 0;
    std::int64_t steps_taken = 0;  // in all epochs
    EpochProgress so_far;          // of the epoch after those finished
    bool stopped_early = false;
    NamedArrays weights;
    std::map<std::string, NamedArrays> slots;  // of the optimizer: "momentum", "velocity", ...
    std::optional<BestValue> early_stopping;
    std::optional<BestValue> checkpoint;
    std::optional<PlateauProgress> plateau;
    NamedArrays early_stopping_weights;  // of the best epoch; may be empty
    NamedArrays checkpoint_weights;      // of the best epoch; may be empty
    // Anything else that belongs to the state; names must differ from the ones above.
    std::map<std::string, StateValue> further;

    bool operator==(const CheckpointState&) const = default;
};

// The bytes of a checkpoint. Throws as model_file_bytes() does.
Bytes checkpoint_bytes(const KerasModel& model, const CheckpointState& state);

// Writes it as `path`; the file that stood there becomes `previous`. Durable when it returns.
// Throws StorageError as replace_file_keeping() does.
SavedFile write_checkpoint(const std::filesystem::path& path, const std::filesystem::path& previous,
                           const KerasModel& model, const CheckpointState& state,
                           const BeforeNaming& before_naming = {});

// Throws StorageError (bad_data) for a damaged file, one without a training state, a newer format,
// and one with a weight or slot that is NaN or infinite: going on from it would make no numbers.
CheckpointState parse_checkpoint(std::span<const std::byte> bytes, std::string_view origin);
CheckpointState read_checkpoint(const std::filesystem::path& path);

struct LoadedCheckpoint {
    CheckpointState state;
    std::string sha256;
    bool is_previous = false;           // read from `previous`
    std::vector<std::string> warnings;  // one line for each file that was passed over, and why
};

// The newest checkpoint that can be trusted: `path`, else `previous`. A file is good if it reads
// without error and, where digests are known, its SHA-256 is one of them. (A file of no known
// digest was written just before a crash: it has no row yet, so the one before is used.)
//   known_digests   of this run, from the database; empty: not checked
// Returns nothing if neither file exists.
// Throws StorageError (bad_data) if there are files and none is good, naming each reason.
std::optional<LoadedCheckpoint> load_newest_good_checkpoint(
    const std::filesystem::path& path, const std::filesystem::path& previous,
    std::span<const std::string> known_digests);

// After falling back: puts `previous` in the place of `path`, so that the next checkpoint does not
// push the good file out. Call on one rank, before training, then begin_attempt() with
// ResumePoint::previous_sha256.
void promote_previous_checkpoint(const std::filesystem::path& path,
                                 const std::filesystem::path& previous);

}  // namespace lockstep::storage
