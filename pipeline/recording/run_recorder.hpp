#pragma once

// What training tells becomes rows, files and progress: the one place where training meets
// storage. Lives on a run's rank 0 only.

#include <fstream>
#include <string>
#include <vector>

#include "pipeline/planning/plan.hpp"
#include "pipeline/progress/progress.hpp"
#include "pipeline/recording/run_rows.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/run_store.hpp"
#include "storage/weights/weights_file.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/train.hpp"
#include "trainer/train_observer.hpp"

namespace lockstep::pipeline {

// All references must outlive the recorder. Every function throws StorageError.
class RunRecorder : public trainer::TrainObserver {
public:
    RunRecorder(const storage::RunStore& store, storage::RunDatabase& database,
                const PlannedRun& planned, const trainer::RunData& data, const RunSetting& setting,
                ProgressSink& progress);

    // Starts an attempt: the run's row, its effective.toml, and a first line for people. One from
    // the beginning removes the files of those before.
    void begin(const storage::ResumePoint& resume);

    void on_epoch_begin(int epoch, int epochs, std::int64_t steps) override;
    void on_step_end(const trainer::StepRecord& step) override;
    void on_epoch_end(const trainer::EpochRecord& epoch) override;
    // The files are durable before the one transaction that tells of them.
    void on_snapshot(const trainer::Snapshot& snapshot) override;

    // One of these ends the attempt.
    void finish(const trainer::TrainOutcome& outcome);
    void interrupt(const std::string& cause);
    void fail(const std::string& cause);

    void warn(const std::string& text);  // told, logged, and an event of the run

private:
    storage::ArtifactRow write_checkpoint(const trainer::Snapshot& snapshot);
    storage::ArtifactRow write_weights(std::string_view kind, const std::filesystem::path& path,
                                       const trainer::NamedTensors& weights, int epoch);
    storage::ArtifactRow write_predictions(const trainer::TrainOutcome& outcome);
    storage::ArtifactRow artifact(std::string_view kind, const std::filesystem::path& path,
                                  const storage::SavedFile& saved, int epoch) const;
    ProgressEvent progress_event(ProgressEvent::Kind kind) const;
    void end(storage::RunState state, const std::string& cause);
    void add_event(const std::string& kind, const std::string& text);
    void tell(const std::string& text);  // progress and log.txt
    void log(const std::string& line);

    const storage::RunStore& store_;
    storage::RunDatabase& database_;
    const PlannedRun& planned_;
    const trainer::RunData& data_;
    const RunSetting& setting_;
    ProgressSink& progress_;
    storage::RunFiles files_;
    storage::KerasModel model_;
    std::ofstream log_;
    int attempt_ = 0;
    int epoch_ = 0;  // the one that goes on
    std::int64_t steps_per_epoch_ = 0;
    double last_step_seconds_ = 0.0;       // of the epoch, when a step was shown last
    double last_logged_seconds_ = 0.0;     // the same, when one was logged last
    std::vector<storage::StepRow> steps_;  // of the epoch, where steps are recorded
};

}  // namespace lockstep::pipeline
