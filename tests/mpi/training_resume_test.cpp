// Continuing from a state gives the bits of a training that was never interrupted, on any number
// of ranks.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/tiny_training.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

RunConfig run_with_monitors(const OptimizerConfig& optimizer) {
    RunConfig config = tiny_run();
    config.train.epochs = 4;
    config.train.optimizer = optimizer;
    config.train.schedule = {.shape = ExponentialSchedule{}, .warmup_epochs = 1.5};
    config.train.early_stopping = EarlyStoppingConfig{
        .monitor = {.metric = "val_loss"}, .patience = 4, .restore_best_weights = true};
    config.train.checkpoint =
        CheckpointConfig{.monitor = {.metric = "val_accuracy", .mode = MonitorMode::max},
                         .restore_best_weights = false};
    return config;
}

// comm: that of the resumed training.
void check_same_end(const Trained& resumed, const Trained& whole, std::size_t epochs_before,
                    const Communicator& comm) {
    CHECK(digest_of(resumed.outcome.weights) == digest_of(whole.outcome.weights));
    CHECK(resumed.outcome.reason == whole.outcome.reason);
    CHECK(resumed.outcome.epochs_finished == whole.outcome.epochs_finished);
    CHECK(resumed.outcome.weights_epoch == whole.outcome.weights_epoch);
    CHECK(bits_of(resumed.outcome.test) == bits_of(whole.outcome.test));
    if (!comm.is_root()) return;  // nobody told it of epochs
    REQUIRE(whole.seen.epochs.size() == 4);
    const std::vector<EpochRecord> rest(
        whole.seen.epochs.begin() + static_cast<std::ptrdiff_t>(epochs_before),
        whole.seen.epochs.end());
    CHECK(bits_of(resumed.seen.epochs) == bits_of(rest));
}

bool same_state(const TrainState& a, const TrainState& b) {
    if (a.slots.size() != b.slots.size()) return false;
    for (const auto& [name, tensors] : a.slots)
        if (!b.slots.contains(name) || digest_of(tensors) != digest_of(b.slots.at(name)))
            return false;
    return a.epochs_finished == b.epochs_finished && a.steps_taken == b.steps_taken &&
           a.so_far == b.so_far && digest_of(a.weights) == digest_of(b.weights) &&
           a.early_stopping == b.early_stopping && a.checkpoint == b.checkpoint &&
           a.plateau == b.plateau &&
           digest_of(a.early_stopping_weights) == digest_of(b.early_stopping_weights) &&
           digest_of(a.checkpoint_weights) == digest_of(b.checkpoint_weights) &&
           a.stopped_early == b.stopped_early;
}

}  // namespace

TEST_CASE("resuming after any epoch gives the same bits, also on other numbers of ranks",
          "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    const std::vector<OptimizerConfig> optimizers = {
        {.learning_rate = 0.01, .rule = AdamConfig{}},
        {.learning_rate = 0.02, .rule = SgdConfig{.momentum = 0.9, .nesterov = true}},
        {.learning_rate = 0.003, .rule = RmspropConfig{.momentum = 0.5}, .weight_decay = 0.1},
        {.learning_rate = 0.001, .rule = LionConfig{}, .weight_decay = 0.1},
        {.learning_rate = 0.02, .rule = AdagradConfig{}},
        {.learning_rate = 0.01, .rule = NadamConfig{}, .global_clipnorm = 0.5},
        {.learning_rate = 0.01,
         .rule = MuonConfig{.exclude_convolutions = false},
         .weight_decay = 0.1}};
    for (const OptimizerConfig& optimizer : optimizers) {
        CAPTURE(optimizer.rule.index());
        const RunConfig config = run_with_monitors(optimizer);
        // Every rank trains alone and so holds the states of a one-rank run.
        const Trained whole = train_tiny(config, Communicator(MPI_COMM_SELF));
        REQUIRE(whole.seen.snapshots.size() == 4);  // on every rank or on none
        for (std::size_t epochs = 1; epochs <= 4; ++epochs) {
            CAPTURE(epochs);
            const TrainState& state = whole.seen.snapshots[epochs - 1].state;
            const Trained resumed = train_tiny(config, world, &state);
            check_same_end(resumed, whole, epochs, world);
            if (!world.is_root() || epochs == 4) continue;
            CHECK(
                same_state(resumed.seen.snapshots.back().state, whole.seen.snapshots.back().state));
        }
    }
}

TEST_CASE("resuming after any step gives the same bits, also on other numbers of ranks",
          "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    const RunConfig config = run_with_monitors({.learning_rate = 0.01, .rule = AdamConfig{}});
    const Trained plain = train_tiny(config, Communicator(MPI_COMM_SELF));
    const Trained whole = train_step_by_step(config, Communicator(MPI_COMM_SELF));
    CHECK(digest_of(whole.outcome.weights) == digest_of(plain.outcome.weights));
    CHECK(bits_of(whole.seen.steps) == bits_of(plain.seen.steps));
    REQUIRE(whole.seen.snapshots.size() == 12);  // 45 samples in batches of 16, 4 epochs
    for (std::size_t i = 0; i < 12; ++i) {
        const TrainState& state = whole.seen.snapshots[i].state;
        CAPTURE(i);
        CHECK(state.steps_taken == static_cast<std::int64_t>(i) + 1);
        CHECK(state.epochs_finished == static_cast<int>(i + 1) / 3);
        CHECK(state.so_far.steps == static_cast<std::int64_t>(i + 1) % 3);
        const Trained resumed = train_tiny(config, world, &state);
        check_same_end(resumed, whole, static_cast<std::size_t>(state.epochs_finished), world);
        if (!world.is_root()) continue;
        const auto first = static_cast<std::ptrdiff_t>(state.steps_taken);
        CHECK(bits_of(resumed.seen.steps) ==
              bits_of(std::vector(whole.seen.steps.begin() + first, whole.seen.steps.end())));
    }
}

TEST_CASE("a recipe's state goes on after any step: the plateau's, decay, clipping; frozen layers",
          "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    RunConfig config = tiny_recipe();
    config.train.epochs = 4;
    for (const std::size_t layer : std::vector<std::size_t>{2, 6, 10})
        config.layers[layer].trainable = false;
    const Trained whole = train_step_by_step(config, Communicator(MPI_COMM_SELF));
    REQUIRE(whole.seen.snapshots.size() == 12);
    CHECK(whole.seen.epochs.back().learning_rate < 0.01);  // the rate has fallen
    for (std::size_t i = 0; i < 12; ++i) {
        const TrainState& state = whole.seen.snapshots[i].state;
        CAPTURE(i);
        const Trained resumed = train_tiny(config, world, &state);
        check_same_end(resumed, whole, static_cast<std::size_t>(state.epochs_finished), world);
        if (!world.is_root() || resumed.seen.snapshots.empty()) continue;
        CHECK(same_state(resumed.seen.snapshots.back().state, whole.seen.snapshots.back().state));
    }
}

// The best epoch is in front of the last: what a resume has to bring back is in the state alone.
TEST_CASE("a resumed run ends in its checkpoint's best weights", "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    RunConfig config = run_with_monitors({.learning_rate = 0.01, .rule = AdamConfig{}});
    config.train.early_stopping.reset();
    config.train.checkpoint->monitor = {.metric = "val_loss", .mode = MonitorMode::max};
    config.train.checkpoint->restore_best_weights = true;
    const Trained whole = train_tiny(config, Communicator(MPI_COMM_SELF));
    REQUIRE(whole.outcome.weights_epoch < 4);
    REQUIRE(whole.seen.snapshots.size() == 4);
    for (std::size_t epochs = 1; epochs <= 4; ++epochs) {
        CAPTURE(epochs);
        const TrainState& state = whole.seen.snapshots[epochs - 1].state;
        CHECK_FALSE(state.checkpoint_weights.empty());
        const Trained resumed = train_tiny(config, world, &state);
        check_same_end(resumed, whole, epochs, world);
        if (!world.is_root() || epochs == 4) continue;
        CHECK(same_state(resumed.seen.snapshots.back().state, whole.seen.snapshots.back().state));
    }
}

TEST_CASE("averages and accumulated gradients go on after any step, on any number of ranks",
          "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    const SgdConfig momentum{.momentum = 0.9};
    const LookaheadConfig lookahead{
        .sync_period = 5, .power = 2.0, .over_epochs = 3.0, .moving_statistics = true};
    const std::vector<OptimizerConfig> optimizers = {
        {.learning_rate = 0.02,
         .rule = momentum,
         .average = EmaConfig{.momentum = 0.9, .overwrite_frequency = 5}},
        {.learning_rate = 0.02, .rule = momentum, .average = lookahead},
        {.learning_rate = 0.01,
         .rule = NadamConfig{},
         .global_clipnorm = 0.5,
         .average = EmaConfig{.momentum = 0.7},
         .gradient_accumulation_steps = 5},
        {.learning_rate = 0.01,
         .rule = MuonConfig{.exclude_convolutions = false},
         .global_clipnorm = 0.5,
         .average = lookahead,
         .gradient_accumulation_steps = 2}};
    for (const OptimizerConfig& optimizer : optimizers) {
        CAPTURE(optimizer.average.index(), optimizer.gradient_accumulation_steps);
        const RunConfig config = run_with_monitors(optimizer);
        const Trained whole = train_step_by_step(config, Communicator(MPI_COMM_SELF));
        REQUIRE(whole.seen.snapshots.size() == 12);
        for (std::size_t i = 0; i < 12; ++i) {
            const TrainState& state = whole.seen.snapshots[i].state;
            CAPTURE(i);
            const Trained resumed = train_tiny(config, world, &state);
            check_same_end(resumed, whole, static_cast<std::size_t>(state.epochs_finished), world);
            if (!world.is_root() || resumed.seen.snapshots.empty()) continue;
            CHECK(
                same_state(resumed.seen.snapshots.back().state, whole.seen.snapshots.back().state));
        }
    }
}

TEST_CASE("tensors of a few epochs and mixed images go on after any step", "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    RunConfig config = whitened_run();
    config.train.epochs = 4;
    config.layers.front().trainable_epochs = {{"kernel", 0}, {"bias", 2}};
    const Trained whole = train_step_by_step(config, Communicator(MPI_COMM_SELF));
    REQUIRE(whole.seen.snapshots.size() == 12);
    for (std::size_t i = 0; i < 12; ++i) {
        CAPTURE(i);
        const TrainState& state = whole.seen.snapshots[i].state;
        const Trained resumed = train_tiny(config, world, &state);
        check_same_end(resumed, whole, static_cast<std::size_t>(state.epochs_finished), world);
        if (!world.is_root() || resumed.seen.snapshots.empty()) continue;
        CHECK(same_state(resumed.seen.snapshots.back().state, whole.seen.snapshots.back().state));
    }
}

TEST_CASE("a stop at any step leaves a state from which nothing is lost", "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    const RunConfig config = run_with_monitors({.learning_rate = 0.01, .rule = AdamConfig{}});
    const Trained whole = train_tiny(config, Communicator(MPI_COMM_SELF));
    for (int stop = 0; stop < 12; ++stop) {
        CAPTURE(stop);
        int asked = 0;
        const int wishing = stop % world.size();
        const Trained stopped = train_step_by_step(
            config, world, [&] { return asked++ == stop && world.rank() == wishing; });
        CHECK(stopped.outcome.reason == StopReason::requested);
        CHECK(stopped.outcome.epochs_finished == stop / 3);
        CHECK(stopped.outcome.steps_of_next_epoch == stop % 3);
        if (!world.is_root()) continue;
        CHECK(stopped.seen.snapshots.size() == static_cast<std::size_t>(stop));  // each step once
        if (stop == 0) continue;  // nothing was trained
        const TrainState& state = stopped.seen.snapshots.back().state;
        CHECK(state.steps_taken == stop);
        const Communicator self(MPI_COMM_SELF);
        check_same_end(train_tiny(config, self, &state), whole, static_cast<std::size_t>(stop / 3),
                       self);
    }
}

TEST_CASE("a state saved by several ranks resumes on one", "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    const RunConfig config = run_with_monitors({.learning_rate = 0.01, .rule = AdamConfig{}});
    const Trained whole = train_tiny(config, world);
    if (!world.is_root()) return;
    const TrainState& state = whole.seen.snapshots[1].state;
    CHECK(state.epochs_finished == 2);
    CHECK(state.steps_taken == 6);
    const Communicator self(MPI_COMM_SELF);
    check_same_end(train_tiny(config, self, &state), whole, 2, self);
}

TEST_CASE("resuming a run that early stopping has ended trains no further", "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    RunConfig config = tiny_run(plain_layers());
    config.train.epochs = 6;
    config.train.optimizer = {.learning_rate = 0.0, .rule = SgdConfig{}};  // never improves
    config.train.early_stopping =
        EarlyStoppingConfig{.monitor = {.metric = "val_loss"}, .patience = 2};
    const Trained whole = train_tiny(config, Communicator(MPI_COMM_SELF));
    CHECK(whole.seen.snapshots.back().state.stopped_early);
    const Trained resumed = train_tiny(config, world, &whole.seen.snapshots.back().state);
    CHECK(resumed.outcome.reason == StopReason::early_stopping);
    CHECK(resumed.outcome.epochs_finished == 3);
    CHECK(resumed.seen.begun.empty());
    // Stopped a moment before: one epoch is left.
    const Trained last = train_tiny(config, world, &whole.seen.snapshots[1].state);
    CHECK(last.outcome.epochs_finished == 3);
    if (world.is_root()) CHECK(last.seen.begun == std::vector<int>{3});
}
