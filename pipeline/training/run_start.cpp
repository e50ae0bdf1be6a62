#include "pipeline/training/run_start.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/recording/tensors.hpp"
#include "storage/files/storage_error.hpp"
#include "storage/weights/checkpoint_file.hpp"
#include "storage/weights/weights_file.hpp"

namespace lockstep::pipeline {
namespace {

// --fresh alone would begin every run of the experiment anew.
std::string way_out(const PlannedRun& planned) {
    return fmt::format("to begin it anew: --only {} --fresh", planned.run.config.name);
}

void check_digest(const PlannedRun& planned, const char* what, const std::string& own,
                  const std::string& stored) {
    if (own == stored) return;
    throw Failure(
        kExitBadData,
        fmt::format("run {}: its checkpoint was made with another {} (SHA-256 {}..., now "
                    "{}...); {}",
                    planned.id, what, stored.substr(0, 12), own.substr(0, 12), way_out(planned)));
}

// "2 epochs", "7 steps": what the database has of the run; "" nothing.
std::string work_of(const storage::RunDatabase& database, const std::string& run) {
    if (const auto epochs = database.epochs(run).size(); epochs > 0)
        return fmt::format("{} epoch{}", epochs, epochs == 1 ? "" : "s");
    const auto steps = database.steps(run).size();
    return steps > 0 ? fmt::format("{} step{}", steps, steps == 1 ? "" : "s") : "";
}

// Only --fresh and --retry-failed take a run that has ended for good: who holds it since was to
// begin it anew, and was killed before.
bool was_to_begin_anew(const storage::RunDatabase& database, const std::string& run) {
    static constexpr std::array<std::string_view, 6> kTurns{"started",  "resumed", "interrupted",
                                                            "finished", "failed",  "repaired"};
    std::string last;
    for (const storage::EventRow& event : database.events(run)) {
        if (std::ranges::find(kTurns, event.kind) != kTurns.end()) last = event.kind;
    }
    return last == "finished" || last == "failed";
}

// The row of a checkpoint is written with that of its epoch: where there are epochs and no such
// row, it was lost. Before the first one a file can only be one whose row was never written.
void require_no_work(const storage::RunDatabase& database, const PlannedRun& planned) {
    const std::string work = work_of(database, planned.id);
    if (work.empty() || was_to_begin_anew(database, planned.id)) return;
    throw Failure(kExitBadData,
                  fmt::format("run {}: {} of it are in the run database, and no checkpoint: "
                              "`lockstep fsck --repair` takes up one that is whole; {}",
                              planned.id, work, way_out(planned)));
}

std::optional<storage::LoadedCheckpoint> load_checkpoint(const storage::RunStore& store,
                                                         const storage::RunDatabase& database,
                                                         const PlannedRun& planned) {
    const storage::RunFiles files = store.run_files(planned.id);
    const std::vector<std::string> digests = database.checkpoint_digests(planned.id);
    if (digests.empty()) {
        require_no_work(database, planned);
        return std::nullopt;
    }
    try {
        return storage::load_newest_good_checkpoint(files.checkpoint, files.previous_checkpoint,
                                                    digests);
    } catch (const storage::StorageError& error) {
        throw Failure(kExitBadData,
                      fmt::format("run {}: {}; {}", planned.id, error.what(), way_out(planned)));
    }
}

}  // namespace

void require_untrained(const storage::RunStore& store, const PlannedRun& planned) {
    const storage::RunFiles files = store.run_files(planned.id);
    for (const auto& file : {files.checkpoint, files.previous_checkpoint, files.final_weights}) {
        std::error_code unknown;
        if (!std::filesystem::exists(file, unknown)) continue;
        throw Failure(
            kExitBadData,
            fmt::format("run {}: the run database knows nothing of {}: was it deleted, or replaced "
                        "by another one? `lockstep fsck --repair` puts such files aside; {}",
                        planned.id, file.string(), way_out(planned)));
    }
}

RunStart start_anew(const PlannedRun& planned) {
    RunStart start;
    const auto& path = planned.run.config.train.initial_weights;
    if (!path.empty()) {
        start.initial_weights =
            to_tensors(storage::read_model_file(path), planned.run.architecture, path.string());
    }
    return start;
}

std::vector<std::string> other_kernels(const storage::CheckpointState& checkpoint,
                                       const trainer::ComputeEnvironment& environment) {
    std::vector<std::string> differences;
    const auto compare = [&](const char* what, const std::string& before, const std::string& now) {
        if (before != now) differences.push_back(fmt::format("{} {} after {}", what, now, before));
    };
    compare("instruction set", checkpoint.isa, environment.isa);
    compare("SIMD target", checkpoint.simd_target, environment.simd_target);
    compare("oneDNN", checkpoint.onednn_version, environment.onednn_version);
    compare("arithmetic", fmt::format("{}", checkpoint.arithmetic),
            fmt::format("{}", environment.arithmetic));
    return differences;
}

RunStart resume(const storage::RunStore& store, const storage::RunDatabase& database,
                const PlannedRun& planned, const std::string& data_digest,
                const trainer::ComputeEnvironment& environment) {
    std::optional<storage::LoadedCheckpoint> loaded = load_checkpoint(store, database, planned);
    if (!loaded) {
        RunStart start = start_anew(planned);
        if (!work_of(database, planned.id).empty())
            start.warnings.emplace_back("begins anew, as the attempt before was to");
        return start;
    }
    storage::CheckpointState& checkpoint = loaded->state;
    check_digest(planned, "configuration", planned.effective.digest, checkpoint.config_digest);
    check_digest(planned, "data set", data_digest, checkpoint.data_digest);
    RunStart start;
    start.warnings = std::move(loaded->warnings);
    // The promise of equal bits ends where the kernels differ; that must not go unnoticed.
    for (const std::string& difference : other_kernels(checkpoint, environment))
        start.warnings.push_back(fmt::format(
            "resumed with {}: the bits may differ from an uninterrupted run", difference));
    start.point = {.epochs_finished = checkpoint.epochs_finished,
                   .steps_taken = checkpoint.steps_taken,
                   .steps_of_next_epoch = checkpoint.so_far.steps,
                   .previous_sha256 = loaded->is_previous ? loaded->sha256 : ""};
    if (loaded->is_previous) {
        const storage::RunFiles files = store.run_files(planned.id);
        storage::promote_previous_checkpoint(files.checkpoint, files.previous_checkpoint);
    }
    start.state = train_state(std::move(checkpoint));
    return start;
}

}  // namespace lockstep::pipeline
