#pragma once

// Trains one run after the other on one group of ranks, and records each.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/planning/plan.hpp"
#include "pipeline/progress/progress.hpp"
#include "pipeline/recording/run_recorder.hpp"
#include "pipeline/training/run_claims.hpp"
#include "pipeline/training/run_data.hpp"
#include "pipeline/training/run_parents.hpp"
#include "pipeline/training/run_queue.hpp"
#include "pipeline/training/run_start.hpp"
#include "reports/figures/work_left.hpp"
#include "trainer/exchange/communicator.hpp"

namespace lockstep::pipeline {

// All references must outlive it. Every function is collective over the group.
class GroupTrainer {
public:
    GroupTrainer(const Queue& queue, const Job& job, const trainer::Communicator& group,
                 const RunDatasets& datasets, bool is_side_by_side, ProgressSink& progress);
    ~GroupTrainer();
    GroupTrainer(const GroupTrainer&) = delete;
    GroupTrainer& operator=(const GroupTrainer&) = delete;

    // Takes the first of `runs` (places in the plan) that needs training and that nobody holds, and
    // trains it. Returns nothing if there is none now; else, on the group's rank 0, 0,
    // kExitInterrupted, kExitLeftToOthers if another attempt took the run over, or the exit code of
    // what made it fail, which is told.
    // Throws, on the rank it happens to, what the others know nothing of: the caller ends the job.
    std::optional<int> train_next(const std::vector<std::size_t>& runs);

    // Some rank of the group was asked to stop.
    bool is_stop_agreed() const;

private:
    struct Recording;
    int train(const PlannedRun& planned, Recording& recording);
    int train_recorded(const PlannedRun& planned, Recording& recording);
    RunStart open(const PlannedRun& planned, const trainer::RunData& data, Recording& recording);
    ParentSearch parent_of(const PlannedRun& planned, const trainer::RunData& data,
                           const Recording& recording) const;
    std::vector<reports::RunWork> survey_plan(const storage::RunDatabase& database) const;
    std::string place_in_plan(const storage::RunDatabase& database) const;
    int train_and_record(const PlannedRun& planned, const trainer::RunData& data,
                         const RunStart& start, Recording& recording);
    int conclude(const trainer::TrainOutcome& outcome, Recording& recording);
    int fail(const std::exception& error, const PlannedRun& planned, Recording& recording);
    int leave_to_others(const std::exception& error);
    void give_back(const std::string& cause, const PlannedRun& planned, Recording& recording);

    const Queue& queue_;
    const trainer::Communicator& group_;
    const RunDatasets& datasets_;
    RunSetting setting_;
    RunClaims claims_;
    ProgressSink& progress_;
};

}  // namespace lockstep::pipeline
