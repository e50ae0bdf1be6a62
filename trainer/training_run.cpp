#include "trainer/training_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <span>
#include <variant>

#include "liveness/fault_point.hpp"
#include "liveness/pulse.hpp"
#include "liveness/standstill.hpp"
#include "trainer/config/architecture.hpp"
#include "trainer/config/errors.hpp"
#include "trainer/config/out_of_memory.hpp"
#include "trainer/determinism/digest.hpp"
#include "trainer/determinism/random.hpp"
#include "trainer/parameters/finite_tensors.hpp"
#include "trainer/parameters/initializers.hpp"

namespace lockstep::trainer {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double seconds_stood_still() {
    return liveness::own_standstill().until(std::chrono::steady_clock::now()).count();
}

// To the millisecond. Collective.
double greatest_of_ranks(double seconds, const Communicator& comm) {
    long long greatest = 0;
    for (const std::string& of_rank :
         comm.gather_texts(std::to_string(std::llround(1000.0 * seconds))))
        greatest = std::max(greatest, std::stoll(of_rank));
    return static_cast<double>(greatest) / 1000.0;
}

// Names of layers may differ, as in Keras.
bool same_values(const NamedTensors& a, const NamedTensors& b) {
    return std::ranges::equal(a, b, {}, &NamedTensor::values, &NamedTensor::values);
}

// Ranks of one node share the weights: nobody reads them while they are written. Collective.
// Throws ReplicaError, on every rank, if the ranks were given different trainable ones, which they
// can not keep; moving statistics are each rank's own, and compared at the end of an epoch.
void set_weights(Network& network, const NamedTensors& weights, const Communicator& comm) {
    Parameters& parameters = network.parameters();
    comm.barrier();
    parameters.set_weights(weights);
    comm.barrier();
    const bool are_own =
        same_values(parameters.weights(), weights);  // not those of a rank of this node
    const auto of_ranks = comm.gather_texts(sha256_hex(std::as_bytes(parameters.trainable())));
    const bool are_equal = std::ranges::count(of_ranks, of_ranks.front()) == comm.size();
    if (!comm.all_agree(are_own && are_equal))
        throw ReplicaError("the ranks were given different weights to begin with");
}

}  // namespace

TrainingRun::TrainingRun(const Training& training, const Communicator& comm,
                         TrainObserver& observer)
    : training_(training),
      config_(training.config.train),
      comm_(comm),
      observer_(observer),
      network_(training.config.layers, training.data.shape,
               static_cast<int>(training.data.class_names.size())),
      step_(training.config, training.data, network_, comm, pool_),
      evaluator_(training.config, training.data, network_, comm, pool_) {
    start_or_resume();
}

void TrainingRun::start_or_resume() {
    const TrainState none;
    const TrainState& state = training_.resume_from != nullptr ? *training_.resume_from : none;
    if (config_.early_stopping)
        early_stopping_.emplace(config_.early_stopping->monitor,
                                config_.early_stopping->restore_best_weights, state.early_stopping,
                                state.early_stopping_weights);
    if (config_.checkpoint)
        checkpoint_.emplace(config_.checkpoint->monitor, config_.checkpoint->restore_best_weights,
                            state.checkpoint, state.checkpoint_weights);
    if (const auto* plateau = std::get_if<PlateauSchedule>(&config_.schedule.shape)) {
        plateau_.emplace(*plateau, config_.optimizer.learning_rate, state.plateau);
        step_.set_base_learning_rate(plateau_->learning_rate());
    }
    require_finite(state.early_stopping_weights, "the checkpoint's best weights");
    require_finite(state.checkpoint_weights, "the checkpoint's best weights");
    if (training_.resume_from != nullptr)
        resume(state);
    else if (training_.initial_weights != nullptr)
        set_weights(network_, *training_.initial_weights, comm_);
    else
        set_weights(network_,
                    initial_weights(infer_shapes(training_.config.layers, training_.data.shape,
                                                 network_.classes()),
                                    config_.seed, training_.data),
                    comm_);
    if (training_.resume_from == nullptr) step_.begin_average();
}

void TrainingRun::resume(const TrainState& state) {
    set_weights(network_, state.weights, comm_);
    for (auto& [name, values] : step_.optimizer().slots()) {
        const auto saved = state.slots.find(name);
        if (saved == state.slots.end())
            throw WeightsError(fmt::format("the checkpoint has no optimizer slot {}", name));
        network_.parameters().pack_trainable(saved->second, values);
    }
    if (step_.optimizer().average() != nullptr) resume_average(state);
    epochs_finished_ = state.epochs_finished;
    steps_taken_ = steps_kept_ = state.steps_taken;
    so_far_ = state.so_far;
    // Ranks that began at different steps would train on different batches, or wait for ever.
    const auto places =
        comm_.gather_texts(fmt::format("{} {} {}", epochs_finished_, so_far_.steps, steps_taken_));
    if (std::ranges::count(places, places.front()) != comm_.size())
        throw ReplicaError("the ranks were given different steps to go on from");
}

// Those that stand beside the average: training's own where only weights are averaged.
std::span<float> TrainingRun::averaged_constants() {
    const std::span<float> averaged = step_.optimizer().average()->constants();
    return averaged.empty() ? network_.parameters().constants() : averaged;
}

void TrainingRun::resume_average(const TrainState& state) {
    const auto saved = state.slots.find(kAverageSlot);
    if (saved == state.slots.end())
        throw WeightsError("the checkpoint has no average of the weights");
    Parameters& parameters = network_.parameters();
    parameters.pack(saved->second, step_.optimizer().average()->weights(), averaged_constants());
}

bool TrainingRun::has_stopped_early() const {
    return early_stopping_ && epochs_finished_ > 0 &&
           early_stopping_->best().epochs_since >= std::max(1, config_.early_stopping->patience);
}

bool TrainingRun::train_epoch(int epoch) {
    const auto start = std::chrono::steady_clock::now();
    const StepClocks before = step_.clocks();
    const std::int64_t count_before = so_far_.count;  // by an attempt before
    const double stopped_before = seconds_stood_still();
    if (comm_.is_root()) observer_.on_epoch_begin(epoch, config_.epochs, step_.steps_per_epoch());
    if (!run_steps(epoch)) {
        keep_state(epoch);
        return false;
    }

    EpochRecord record;
    record.epoch = epoch;
    record.epochs = config_.epochs;
    record.steps = step_.steps_per_epoch();
    record.training = so_far_.metrics();
    record.training_seconds = seconds_since(start);
    record.images_per_second =
        static_cast<double>(so_far_.count - count_before) / record.training_seconds;
    record.learning_rate = step_.learning_rate(steps_taken_ - 1);
    record.weights_digest = check_replicas(epoch);
    step_.collect_slots();
    check_finite(epoch);
    step_.swap_average();
    if (training_.data.validation.count() > 0)
        record.validation = evaluator_.metrics(training_.data.validation);
    record.stopped_seconds = greatest_of_ranks(seconds_stood_still() - stopped_before, comm_);
    record.epoch_seconds = seconds_since(start);
    record.evaluation_seconds = record.epoch_seconds - record.training_seconds;
    record.exchange_seconds = step_.clocks().exchange.seconds() - before.exchange.seconds();
    record.data_seconds = step_.clocks().data.seconds() - before.data.seconds();

    liveness::fault_point("epoch.end", steps_taken_);
    epochs_finished_ = epoch;
    so_far_ = {};
    steps_kept_ = steps_taken_;
    if (early_stopping_) early_stopping_->take(record, network_);
    if (plateau_) {
        plateau_->take(record);
        step_.set_base_learning_rate(plateau_->learning_rate());
    }
    const bool is_best = checkpoint_ && checkpoint_->take(record, network_);
    step_.swap_average();
    if (!comm_.is_root()) return true;
    liveness::note(liveness::Phase::recording);
    observer_.on_epoch_end(record);
    observer_.on_snapshot({.state = state(), .epoch = record, .is_best = is_best});
    return true;
}

bool TrainingRun::run_steps(int epoch) {
    const auto start = std::chrono::steady_clock::now();
    const std::int64_t samples = training_.data.training.count();
    std::vector<std::uint32_t> order(static_cast<std::size_t>(samples));
    if (config_.shuffle)
        order = epoch_order(config_.seed, epoch, samples);
    else
        std::iota(order.begin(), order.end(), 0U);

    while (so_far_.steps < step_.steps_per_epoch()) {
        const auto batch =
            std::span(order).subspan(static_cast<std::size_t>(so_far_.steps * config_.batch_size));
        const StepResult step = step_.run(
            batch.first(std::min(batch.size(), static_cast<std::size_t>(config_.batch_size))),
            epoch, steps_taken_, wishes());
        if (step.wishes.stop) return false;
        ++so_far_.steps;
        so_far_.loss_sum += step.loss_sum;
        so_far_.correct += step.correct;
        so_far_.count += step.count;
        if (comm_.is_root()) report_step(epoch, step, seconds_since(start));
        ++steps_taken_;
        const bool is_last =
            so_far_.steps == step_.steps_per_epoch();  // of which one is made anyway
        if (step.wishes.snapshot && !is_last) keep_state(epoch);
    }
    return true;
}

Wishes TrainingRun::wishes() const {
    return {.stop = training_.stop_requested && training_.stop_requested(),
            .snapshot = comm_.is_root() && observer_.wants_snapshot()};
}

void TrainingRun::report_step(int epoch, const StepResult& step, double seconds) {
    const auto count = static_cast<double>(step.count);
    observer_.on_step_end({.epoch = epoch,
                           .step = steps_taken_,
                           .step_in_epoch = so_far_.steps - 1,
                           .steps_per_epoch = step_.steps_per_epoch(),
                           .step_metrics = {.loss = step.loss_sum / count,
                                            .accuracy = static_cast<double>(step.correct) / count,
                                            .count = step.count},
                           .epoch_metrics = so_far_.metrics(),
                           .epoch_seconds = seconds});
}

void TrainingRun::keep_state(int epoch) {
    if (steps_taken_ == steps_kept_) return;
    check_replicas(epoch);
    step_.collect_slots();
    check_finite(epoch);
    steps_kept_ = steps_taken_;
    if (comm_.is_root())
        observer_.on_snapshot({.state = state(), .epoch = std::nullopt, .is_best = false});
}

// All ranks have the same weights, to which each has made its part of the updates by rates that it
// computed for itself.
std::string TrainingRun::check_replicas(int epoch) {
    liveness::note(liveness::Phase::checkpoint);
    std::string digest = network_.parameters().digest();
    const auto of_ranks =
        comm_.gather_texts(digest + fmt::format("{:x}", step_.optimizer().rates_digest()));
    const std::string& expected = of_ranks.front();
    const std::size_t weights = digest.size();
    for (std::size_t rank = 1; rank < of_ranks.size(); ++rank) {
        if (of_ranks[rank] == expected) continue;
        const bool are_weights = of_ranks[rank].compare(0, weights, expected, 0, weights) != 0;
        throw ReplicaError(
            fmt::format("in epoch {} the {} of rank {} came to differ from those of rank 0", epoch,
                        are_weights ? "weights" : "learning rates", rank));
    }
    return digest;
}

// Before anything of the epoch is told or kept. A loss need not show a NaN: a ReLU makes it zero.
void TrainingRun::check_finite(int epoch) {
    const Parameters& parameters = network_.parameters();
    std::string found = parameters.non_finite_weight();
    for (const auto& [name, values] : step_.optimizer().slots()) {
        if (!found.empty()) break;
        found = parameters.non_finite_trainable(values);
        if (!found.empty()) found = fmt::format("the optimizer's {} of {}", name, found);
    }
    if (found.empty() && step_.optimizer().average() != nullptr) {
        found = parameters.non_finite_trainable(step_.optimizer().average()->weights());
        if (!found.empty()) found = "the average of " + found;
    }
    for (const std::string& of_rank : comm_.gather_texts(found))
        if (!of_rank.empty()) throw NonFiniteWeights(epoch, of_rank);
}

TrainState TrainingRun::state() {
    const std::size_t arrays =
        1 + step_.optimizer().slots().size() + (step_.optimizer().average() != nullptr ? 1 : 0);
    return in_memory_for("the copy of weights and slots that a checkpoint is written from",
                         arrays * network_.parameters().trainable().size_bytes(),
                         [this] { return copy_of_state(); });
}

TrainState TrainingRun::copy_of_state() {
    TrainState state;
    state.epochs_finished = epochs_finished_;
    state.steps_taken = steps_taken_;
    state.so_far = so_far_;
    state.weights = network_.parameters().weights();
    for (const auto& [name, values] : step_.optimizer().slots())
        state.slots[name] = network_.parameters().unpack_trainable(values);
    if (step_.optimizer().average() != nullptr)
        state.slots[kAverageSlot] = network_.parameters().unpack(
            step_.optimizer().average()->weights(), averaged_constants());
    if (early_stopping_) {
        state.early_stopping = early_stopping_->best();
        state.early_stopping_weights = early_stopping_->weights();
    }
    if (checkpoint_) {
        state.checkpoint = checkpoint_->best();
        state.checkpoint_weights = checkpoint_->weights();
    }
    if (plateau_) state.plateau = plateau_->so_far();
    state.stopped_early = has_stopped_early();
    return state;
}

// As Keras: early stopping restores at the end of training, however it ended; a checkpoint that is
// loaded back wins, since it is loaded after.
TrainOutcome TrainingRun::finish(StopReason reason) {
    TrainOutcome outcome;
    outcome.reason = reason;
    outcome.epochs_finished = epochs_finished_;
    outcome.steps_of_next_epoch = so_far_.steps;
    if (reason == StopReason::requested) return outcome;
    outcome.weights_epoch = epochs_finished_;
    step_.swap_average();  // for good
    for (const auto* best : {&early_stopping_, &checkpoint_}) {
        if (!*best || !(*best)->can_restore()) continue;
        set_weights(network_, (*best)->weights(), comm_);
        outcome.weights_epoch = (*best)->best().epoch;
    }
    outcome.weights = network_.parameters().weights();
    Evaluation test = evaluator_.evaluate(training_.data.test, training_.config.data.test_views);
    outcome.test = test.metrics;
    outcome.test_probabilities = std::move(test.probabilities);
    return outcome;
}

}  // namespace lockstep::trainer
