#pragma once

// What training tells becomes rows, files and progress: the one place where training meets
// storage. Lives on a run's rank 0 only. Files and rows of an epoch are written (run_writer.hpp) by
// a thread of its own while the next epoch goes on; people are told at once.

#include <chrono>
#include <string>
#include <vector>

#include "pipeline/planning/plan.hpp"
#include "pipeline/progress/progress.hpp"
#include "pipeline/recording/background_writer.hpp"
#include "pipeline/recording/lease_keeper.hpp"
#include "pipeline/recording/run_parent.hpp"
#include "pipeline/recording/run_rows.hpp"
#include "pipeline/recording/run_writer.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/log_file.hpp"
#include "storage/files/run_store.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/train.hpp"
#include "trainer/train_observer.hpp"

namespace lockstep::pipeline {

// All references must outlive the recorder. Every function throws StorageError. Between
// on_snapshot() and settle() the database and HDF5 are the writing thread's: nobody else uses them.
class RunRecorder : public trainer::TrainObserver {
public:
    // Opens the run's log, before anything of the run is changed.
    RunRecorder(const storage::RunStore& store, storage::RunDatabase& database,
                const PlannedRun& planned, const trainer::RunData& data, const RunSetting& setting,
                int attempt, LeaseKeeper& lease, ProgressSink& progress);

    // Starts the claimed attempt: the run's row, its effective.toml, and a first line for people.
    // One from the beginning removes the files of those before.
    void begin(const storage::ResumePoint& resume);
    bool has_begun() const { return has_begun_; }
    // After a begin() from the beginning: the run has the parent's epochs, and goes on after them.
    void extend(const RunParent& parent);

    void on_epoch_begin(int epoch, int epochs, std::int64_t steps) override;
    // Throws what recording the epoch before threw, as soon as that is known.
    void on_step_end(const trainer::StepRecord& step) override;
    // Waits until the epoch before is recorded: one at most is in flight.
    void on_epoch_end(const trainer::EpochRecord& epoch) override;
    // When [checkpoint] every_minutes have gone by since the last one, and that one is recorded.
    bool wants_snapshot() override;
    // Returns at once. The files are durable before the one transaction that tells of them.
    void on_snapshot(trainer::Snapshot snapshot) override;
    // Waits until all epochs are recorded. Throws why one was not, unless that is told already.
    void settle();

    // One of these ends the attempt, after settle(). They throw StorageError (taken_over), as
    // begin() does, where another attempt has taken over: then nothing was written.
    void finish(const trainer::TrainOutcome& outcome);
    void interrupt(const std::string& cause);
    void fail(const std::string& cause);

    void warn(const std::string& text);  // told, logged, and an event of the run
    void tell(const std::string& text);  // people, and log.txt

private:
    ProgressEvent progress_event(ProgressEvent::Kind kind) const;
    void end(storage::RunState state, const std::string& cause);
    void add_event(const std::string& kind, const std::string& text);
    void log(const std::string& line);

    const storage::RunStore& store_;
    storage::RunDatabase& database_;
    const PlannedRun& planned_;
    const trainer::RunData& data_;
    const RunSetting& setting_;
    ProgressSink& progress_;
    const int attempt_;
    LeaseKeeper& lease_;
    RunWriter writer_;  // used by background_ between on_snapshot() and settle()
    storage::LogFile log_;
    bool has_begun_ = false;
    int epoch_ = 0;  // the one that goes on
    std::int64_t steps_per_epoch_ = 0;
    double last_step_seconds_ = 0.0;    // of the epoch, when a step was shown last
    double last_logged_seconds_ = 0.0;  // the same, when one was logged last
    std::chrono::steady_clock::time_point last_snapshot_;
    std::vector<storage::StepRow> steps_;  // since the last snapshot, where steps are recorded
    BackgroundWriter background_;          // last: it ends before what it uses
};

}  // namespace lockstep::pipeline
