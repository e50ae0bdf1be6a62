#pragma once

// What training tells while it runs. Records are const, already global (over all ranks), and
// reported on the run's rank 0 only. An observer sees; of training it steers nothing but when a
// copy of its state is made.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "trainer/parameters/named_tensor.hpp"

namespace lockstep::trainer {

struct Metrics {
    double loss = 0.0;       // mean over the samples
    double accuracy = 0.0;   // fraction in [0, 1]
    std::int64_t count = 0;  // samples seen, each exactly once
    // Fraction whose label is among the five classes of the largest logits; where something was
    // evaluated on more than kTopClasses.
    std::optional<double> top_5_accuracy{};
};
inline constexpr int kTopClasses = 5;

struct StepRecord {
    int epoch = 0;                   // from 1
    std::int64_t step = 0;           // of the whole run, from 0, as in the golden traces
    std::int64_t step_in_epoch = 0;  // from 0
    std::int64_t steps_per_epoch = 0;
    Metrics step_metrics;        // of this step's batch, before its update
    Metrics epoch_metrics;       // running means since the epoch began, this step included
    double epoch_seconds = 0.0;  // since the epoch began
};

struct EpochRecord {
    int epoch = 0;  // from 1
    int epochs = 0;
    std::int64_t steps = 0;  // updates in this epoch
    Metrics training;
    std::optional<Metrics> validation;  // of the weights' average, where a run keeps one
    double learning_rate = 0.0;         // of the epoch's last step
    std::string weights_digest;         // hex, of all weights; equal on every rank
    // times of rank 0, in seconds, by a steady clock
    double epoch_seconds = 0.0;     // training and validation
    double training_seconds = 0.0;  // the steps alone
    double exchange_seconds = 0.0;  // gradients and statistics, waiting included
    double data_seconds = 0.0;      // gathering and scaling batches
    double evaluation_seconds = 0.0;
    double images_per_second = 0.0;  // training samples / training_seconds
    // The longest that one of the ranks stood still in it (liveness/standstill.hpp): times and rate
    // are then none of the program's.
    double stopped_seconds = 0.0;
};

// How far a monitor has come.
struct BestSoFar {
    double value = 0.0;
    int epoch = 0;         // from 1; 0: none yet
    int epochs_since = 0;  // epochs without improvement
    bool operator==(const BestSoFar&) const = default;
};

// How far a schedule that waits for a plateau has come.
struct PlateauSoFar {
    BestSoFar best{};
    int epochs_waited = 0;  // for an improvement, as far as they count
    int cooldown = 0;       // epochs that will not count
    double learning_rate = 0.0;
    bool operator==(const PlateauSoFar&) const = default;
};

// What was trained of an epoch that is not finished; all zero between two epochs.
struct EpochSoFar {
    std::int64_t steps = 0;
    double loss_sum = 0.0;  // over the samples, added step by step
    std::int64_t correct = 0;
    std::int64_t count = 0;

    Metrics metrics() const {
        const auto samples = static_cast<double>(count);
        return {loss_sum / samples, static_cast<double>(correct) / samples, count};
    }
    bool operator==(const EpochSoFar&) const = default;
};

// Of a run that averages its weights: all of them, with the average in place of those of training.
inline constexpr const char* kAverageSlot = "average";

// Everything that continuing a run exactly needs, after any step.
struct TrainState {
    int epochs_finished = 0;
    std::int64_t steps_taken = 0;               // in all epochs
    EpochSoFar so_far;                          // of the epoch after those finished
    NamedTensors weights;                       // all, not trainable ones included
    std::map<std::string, NamedTensors> slots;  // the optimizer's: "momentum", "velocity", ...
    std::optional<BestSoFar> early_stopping;
    std::optional<BestSoFar> checkpoint;
    std::optional<PlateauSoFar> plateau;
    NamedTensors early_stopping_weights;  // the best epoch's, where they will be restored
    NamedTensors checkpoint_weights;      // the best epoch's by the checkpoint's monitor
    bool stopped_early = false;           // no further epoch follows
};

// State at the end of an epoch or within one: a copy, which training does not touch again.
struct Snapshot {
    TrainState state;
    std::optional<EpochRecord> epoch;  // the one that has just ended
    bool is_best = false;              // it, by the checkpoint's monitor
};

class TrainObserver {
public:
    virtual ~TrainObserver() = default;
    virtual void on_epoch_begin(int epoch, int epochs, std::int64_t steps) = 0;
    virtual void on_step_end(const StepRecord& step) = 0;  // cheap: called in the step loop
    virtual void on_epoch_end(const EpochRecord& epoch) = 0;
    // Asked once a step, before it: whether a snapshot is due once the step is done. Cheap.
    virtual bool wants_snapshot() = 0;
    // After on_epoch_end() of the same epoch, or after a step: one that was wanted, or the last one
    // before a stop. The other ranks wait until it returns.
    virtual void on_snapshot(Snapshot snapshot) = 0;
};

}  // namespace lockstep::trainer
