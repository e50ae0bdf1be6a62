#pragma once

#include <optional>

#include "trainer/best_epoch.hpp"
#include "trainer/evaluator.hpp"
#include "trainer/network/network.hpp"
#include "trainer/network/step_plan.hpp"
#include "trainer/plateau.hpp"
#include "trainer/train.hpp"
#include "trainer/training_step.hpp"

namespace lockstep::trainer {

// Everything one run holds while it trains. Collective are the constructor, train_epoch() and
// finish(): every rank calls them in the same order with the same config and data. A rank may have
// no sample of a short last batch. All three throw CommError if MPI fails.
class TrainingRun {
public:
    // Starts, or goes on where training.resume_from says.
    // Throws
    //   ShapeError          as infer_shapes() does
    //   std::length_error   if a batch is larger than sums over it can count
    //   WeightsError        if initial_weights or resume_from do not fit the network, or hold a NaN
    //                       or an infinity
    TrainingRun(const Training& training, const Communicator& comm, TrainObserver& observer);

    int epochs_finished() const { return epochs_finished_; }
    bool has_stopped_early() const;
    // False: a stop was requested in the middle of the epoch, and its steps so far are kept.
    // Throws
    //   NonFiniteLoss      before the update that it would have made
    //   NonFiniteWeights   at the epoch's end, before anything of it is reported
    //   ReplicaError       if the ranks' weights differ
    // on every rank alike, and what the observer throws, on rank 0.
    bool train_epoch(int epoch);
    // Evaluates the final weights on the test set, unless a stop was requested.
    TrainOutcome finish(StopReason reason);

private:
    void start_or_resume();
    void resume(const TrainState& state);
    void resume_average(const TrainState& state);
    std::span<float> averaged_constants();
    // The steps that are left of an epoch. False if a stop was requested.
    bool run_steps(int epoch);
    Wishes wishes() const;
    void report_step(int epoch, const StepResult& step, double seconds);
    // The digest of the weights, which all ranks have.
    std::string check_replicas(int epoch);
    void check_finite(int epoch);
    // Between two steps of an epoch.
    void keep_state(int epoch);
    TrainState state();
    TrainState copy_of_state();

    const Training& training_;
    const TrainConfig& config_;
    const Communicator& comm_;
    TrainObserver& observer_;
    Network network_;
    BufferPool pool_;
    TrainingStep step_;
    Evaluator evaluator_;
    std::optional<BestEpoch> early_stopping_;
    std::optional<BestEpoch> checkpoint_;
    std::optional<Plateau> plateau_;
    int epochs_finished_ = 0;
    std::int64_t steps_taken_ = 0;
    EpochSoFar so_far_;            // of the epoch under way
    std::int64_t steps_kept_ = 0;  // steps_taken_ when a snapshot was made last
};

}  // namespace lockstep::trainer
