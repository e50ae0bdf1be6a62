#pragma once

// Training of one run, data-parallel over the ranks of a communicator. Start here.

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "trainer/data/dataset.hpp"
#include "trainer/exchange/communicator.hpp"
#include "trainer/named_tensor.hpp"
#include "trainer/train_config.hpp"
#include "trainer/train_observer.hpp"

namespace lockstep::trainer {

// The loss of a step was NaN or infinite. Thrown on every rank in the same step, before its update.
class NonFiniteLoss : public std::runtime_error {
public:
    NonFiniteLoss(int epoch, std::int64_t step, double loss);
    int epoch() const { return epoch_; }
    std::int64_t step() const { return step_; }

private:
    int epoch_;
    std::int64_t step_;
};

// Ranks that should hold equal weights, or equal data, do not. Names the first rank that differs.
class ReplicaError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Weights that do not fit the network. Names the layer, what it expects and what was found.
class WeightsError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

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
    const TrainState* resume_from = nullptr;        // null: from the beginning; needed on every rank
    std::function<bool()> stop_requested;           // asked once a step on every rank; may be empty
};

struct TrainOutcome {
    StopReason reason = StopReason::all_epochs;
    int epochs_finished = 0;
    NamedTensors weights;            // final ones, best ones where they are restored
    int weights_epoch = 0;           // the epoch they are from
    Metrics test;                    // of these weights on the test set
    std::vector<float> test_probabilities;  // [test samples, classes], on rank 0 only
};

// Trains, reports to `observer` on rank 0, and evaluates the final weights on the test set (not
// after a requested stop). Collective: every rank passes the same config and data.
// Throws
//   std::invalid_argument   if the ranks are more than the shards
//   WeightsError            if initial_weights or resume_from do not fit the network
//   NonFiniteLoss, ReplicaError, CommError
TrainOutcome train(const Training& training, const Communicator& comm, TrainObserver& observer);

struct Evaluation {
    Metrics metrics;
    std::vector<float> probabilities;  // [samples, classes], on rank 0 only
};

// Evaluates weights on samples, in inference mode. Collective.
// Throws WeightsError if the weights do not fit the network.
Evaluation evaluate(const RunConfig& config, const NamedTensors& weights, const RunData& data,
                    const SampleSet& samples, const Communicator& comm);

// What the machine computes with, stored with every run. All ranks of the communicator agree on
// one instruction set first; call once, right after MPI starts and before any kernel is made.
struct ComputeEnvironment {
    std::string isa;             // oneDNN's effective one, for example "avx512_core"
    std::string simd_target;     // Highway's, for example "AVX3"
    std::string onednn_version;  // "2.6.3"
    std::string mpi_version;     // the library's own words, first line
};
ComputeEnvironment agree_on_compute_environment(const Communicator& world);

}  // namespace lockstep::trainer
