#pragma once

// Trains one run after the other on one group of ranks, and records each.

#include "pipeline/planning/plan.hpp"
#include "pipeline/progress/progress.hpp"
#include "pipeline/recording/run_recorder.hpp"
#include "pipeline/training/run_data.hpp"
#include "pipeline/training/run_queue.hpp"
#include "pipeline/training/run_start.hpp"
#include "trainer/exchange/communicator.hpp"

namespace lockstep::pipeline {

// All references must outlive it. Every function is collective over the group.
class GroupTrainer {
public:
    GroupTrainer(const Queue& queue, const trainer::Communicator& group,
                 const RunDatasets& datasets, bool is_side_by_side, ProgressSink& progress);

    // Returns 0, kExitInterrupted, or the exit code of what made the run fail, which is told.
    // Throws, on the rank it happens to, what the others know nothing of: the caller ends the job.
    int train(const PlannedRun& planned, RunAction action);

    // Some rank of the group was asked to stop.
    bool is_stop_agreed() const;

private:
    struct Recording;
    int train_recorded(const PlannedRun& planned, RunAction action, Recording& recording);
    RunStart open(const PlannedRun& planned, RunAction action, const trainer::RunData& data,
                  Recording& recording);
    int train_and_record(const PlannedRun& planned, const trainer::RunData& data,
                         const RunStart& start, RunRecorder* recorder);
    int conclude(const trainer::TrainOutcome& outcome, RunRecorder* recorder);
    int fail(const std::exception& error, const PlannedRun& planned, RunRecorder* recorder);

    const Queue& queue_;
    const trainer::Communicator& group_;
    const RunDatasets& datasets_;
    RunSetting setting_;
    ProgressSink& progress_;
};

}  // namespace lockstep::pipeline
