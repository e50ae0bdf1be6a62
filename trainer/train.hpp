#pragma once

// Training of one run, data-parallel over the ranks of a communicator. Start here.

#include <functional>
#include <vector>

#include "trainer/config/train_config.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/exchange/communicator.hpp"
#include "trainer/parameters/named_tensor.hpp"
#include "trainer/train_observer.hpp"

namespace lockstep::trainer {

enum class StopReason {
    all_epochs,
    early_stopping,
    requested,  // by stop_requested; the run can be resumed
};

// One run to train. Everything referred to must outlive the call.
struct Training {
    const RunConfig& config;
    const RunData& data;
    const NamedTensors* initial_weights = nullptr;  // null: drawn from the seed
    const TrainState* resume_from = nullptr;  // null: from the beginning; needed on every rank
    std::function<bool()> stop_requested;     // asked once a step on every rank; may be empty
};

struct TrainOutcome {
    StopReason reason = StopReason::all_epochs;
    int epochs_finished = 0;
    std::int64_t steps_of_next_epoch = 0;   // trained of the one after those, where a stop came
    NamedTensors weights;                   // final ones, best ones where they are restored
    int weights_epoch = 0;                  // the epoch they are from
    Metrics test;                           // of these weights on the test set
    std::vector<float> test_probabilities;  // [test samples, classes], on rank 0 only
};

// Trains, reports to `observer` on rank 0, and evaluates the final weights on the test set (not
// after a requested stop, which leaves a snapshot of the last step instead). Collective: every rank
// passes the same config and data. Throws
//   std::invalid_argument   if the ranks are more than the shards
//   WeightsError            if initial_weights or resume_from do not fit the network, or hold a
//                           NaN or an infinity
//   NonFiniteLoss, NonFiniteWeights, ReplicaError, CommError
TrainOutcome train(const Training& training, const Communicator& comm, TrainObserver& observer);

}  // namespace lockstep::trainer
