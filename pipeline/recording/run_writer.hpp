#pragma once

// A run's files and rows: what training has reached, durable. The files come before the one
// transaction that tells of them.

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/planning/plan.hpp"
#include "pipeline/recording/lease_keeper.hpp"
#include "pipeline/recording/run_rows.hpp"
#include "storage/database/run_database.hpp"
#include "storage/database/run_spool.hpp"
#include "storage/files/run_store.hpp"
#include "storage/files/storage_error.hpp"
#include "storage/weights/checkpoint_file.hpp"
#include "storage/weights/weights_file.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/train.hpp"
#include "trainer/train_observer.hpp"

namespace lockstep::pipeline {

// How long a commit waits for other users of the database.
inline constexpr std::chrono::milliseconds kRecordingWait{5000};

inline constexpr const char* kSpoolWords =
    "rows are kept beside the run (spool-*.jsonl) until the database takes them";

// Rather than for good: somebody holds the database, or its disk is full.
bool is_unable_now(const storage::StorageError& error);

// All references must outlive it. For one thread at a time. Every function that writes throws
// StorageError; taken_over, and nothing is written, where another attempt has taken over the run.
class RunWriter {
public:
    RunWriter(const storage::RunStore& store, storage::RunDatabase& database,
              const PlannedRun& planned, const trainer::RunData& data, const RunSetting& setting,
              int attempt, LeaseKeeper& lease);

    const storage::RunFiles& files() const { return files_; }

    // A checkpoint with the rows since the last one. What the database cannot take now is kept
    // beside the run. By an attempt that was taken over nothing is written: the lease's keeper
    // learns of it.
    void record(trainer::Snapshot snapshot, std::vector<storage::StepRow> steps);
    // Why rows are kept beside the run, once where that begins; else "".
    std::string take_spool_note();
    void take_in_spool(std::chrono::milliseconds wait);

    // Files alone; the rows that tell of them.
    storage::ArtifactRow write_effective_config(const std::string& text);
    storage::ArtifactRow write_checkpoint(const storage::CheckpointState& checkpoint, int epoch);
    storage::ArtifactRow write_weights(std::string_view kind, const std::filesystem::path& path,
                                       const storage::NamedArrays& weights, int epoch);
    storage::ArtifactRow write_predictions(const trainer::TrainOutcome& outcome);
    storage::CheckpointState checkpoint_state(trainer::TrainState state) const;

private:
    void write(trainer::Snapshot snapshot, std::vector<storage::StepRow> steps);
    std::vector<storage::ArtifactRow> write_state(trainer::TrainState state, bool is_best,
                                                  int epoch);
    // False where the database cannot be asked, and nothing else shows that the run is still ours.
    bool may_replace_files();
    void require_may_replace_files();  // StorageError (locked), too
    void commit(const storage::RecordedRows& rows);
    storage::ArtifactRow artifact(std::string_view kind, const std::filesystem::path& path,
                                  const storage::SavedFile& saved, int epoch) const;

    const storage::RunStore& store_;
    storage::RunDatabase& database_;
    const PlannedRun& planned_;
    const trainer::RunData& data_;
    const RunSetting& setting_;
    storage::RunFiles files_;
    storage::KerasModel model_;
    const int attempt_;
    LeaseKeeper& lease_;
    storage::RunSpool spool_;
    std::string spool_note_;
};

}  // namespace lockstep::pipeline
