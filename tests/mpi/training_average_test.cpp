// Trainings that average their weights or accumulate gradients, against such that do not.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/tiny_training.hpp"
#include "tests/support/worst_error.hpp"
#include "trainer/config/architecture.hpp"
#include "trainer/evaluate.hpp"
#include "trainer/parameters/initializers.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

// Three steps an epoch, with a short last batch.
RunConfig run_of(const AverageConfig& average, int epochs = 3) {
    RunConfig config = tiny_run();
    config.train.epochs = epochs;
    config.train.optimizer = {.learning_rate = 0.02, .rule = SgdConfig{.momentum = 0.9}};
    config.train.optimizer.average = average;
    return config;
}

NamedTensors initial_weights_of(const RunConfig& config) {
    return initial_weights(infer_shapes(config.layers, Shape{8, 8, 3, false}, 4),
                           config.train.seed);
}

bool is_statistic(const NamedTensor& tensor) { return tensor.name.starts_with("moving"); }

double worst_difference(const NamedTensors& found, const NamedTensors& expected) {
    double worst = found.size() == expected.size() ? 0.0 : HUGE_VAL;
    for (std::size_t t = 0; t < found.size() && t < expected.size(); ++t)
        for (std::size_t i = 0; i < found[t].values.size(); ++i) {
            const double error = std::abs(static_cast<double>(found[t].values[i]) -
                                          static_cast<double>(expected[t].values[i]));
            worst = worse_of(worst, error);
        }
    return worst;
}

// Between tensors of the two, of those that `moves`; the others are of `to`.
template <class Moves>
NamedTensors between(const NamedTensors& from, const NamedTensors& to, double share, Moves moves) {
    NamedTensors result = to;
    for (std::size_t t = 0; t < to.size(); ++t)
        for (std::size_t i = 0; moves(to[t]) && i < to[t].values.size(); ++i) {
            const auto a = static_cast<double>(from[t].values[i]);
            const auto b = static_cast<double>(to[t].values[i]);
            result[t].values[i] = static_cast<float>(a + share * (b - a));
        }
    return result;
}

bool is_weight(const NamedTensor& tensor) { return !is_statistic(tensor); }

Metrics evaluated(const RunConfig& config, const NamedTensors& weights) {
    const RunData data = select_samples(make_tiny_dataset(), config.data, config.train.seed);
    return evaluate(config, weights, data, data.test, Communicator(MPI_COMM_SELF)).metrics;
}

}  // namespace

TEST_CASE("use_ema: training is as without; validated, kept and final is the average",
          "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    RunConfig config = run_of(EmaConfig{.momentum = 0.8});
    config.train.early_stopping = EarlyStoppingConfig{
        .monitor = {.metric = "val_loss"}, .patience = 9, .restore_best_weights = true};
    const Trained averaged = train_tiny(config, world);
    if (!world.is_root()) return;
    RunConfig plain = config;
    plain.train.optimizer.average = {};
    const Trained whole = train_step_by_step(plain, Communicator(MPI_COMM_SELF));
    REQUIRE(whole.seen.snapshots.size() == 9);
    CHECK(bits_of(averaged.seen.steps) == bits_of(whole.seen.steps));
    REQUIRE(averaged.seen.snapshots.size() == 3);
    NamedTensors average = whole.seen.snapshots[0].state.weights;
    int best = 0;
    for (std::size_t step = 1; step < 9; ++step) {
        const NamedTensors& weights = whole.seen.snapshots[step].state.weights;
        average = between(average, weights, 0.2, is_weight);
        if (step % 3 != 2) continue;
        const std::size_t epoch = step / 3;
        CAPTURE(epoch);
        const TrainState& state = averaged.seen.snapshots[epoch].state;
        CHECK(digest_of(state.weights) == digest_of(weights));
        CHECK(worst_difference(state.slots.at(kAverageSlot), average) < 1e-6);
        const EpochRecord& record = averaged.seen.epochs[epoch];
        CHECK(bits_of(*record.validation) ==
              bits_of(evaluated(config, state.slots.at(kAverageSlot))));
        CHECK(record.weights_digest == whole.seen.epochs[epoch].weights_digest);
        CHECK(bits_of(*record.validation) != bits_of(*whole.seen.epochs[epoch].validation));
        const auto& of_best = averaged.seen.epochs[static_cast<std::size_t>(best)];
        if (record.validation->loss < of_best.validation->loss) best = static_cast<int>(epoch);
    }
    CHECK(averaged.outcome.weights_epoch == best + 1);
    CHECK(digest_of(averaged.outcome.weights) ==
          digest_of(averaged.seen.snapshots[static_cast<std::size_t>(best)].state.slots.at(
              kAverageSlot)));
}

TEST_CASE("use_ema: without a best epoch to restore, the last average is final, and is tested",
          "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    const RunConfig config = run_of(EmaConfig{.momentum = 0.8});
    const Trained trained = train_tiny(config, world);
    if (!world.is_root()) return;
    const TrainState& state = trained.seen.snapshots.back().state;
    CHECK(digest_of(trained.outcome.weights) == digest_of(state.slots.at(kAverageSlot)));
    CHECK(digest_of(trained.outcome.weights) != digest_of(state.weights));
    CHECK(bits_of(trained.outcome.test) == bits_of(evaluated(config, trained.outcome.weights)));
}

TEST_CASE("an average of no steps is the initial weights", "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    for (const AverageConfig& average :
         {AverageConfig{EmaConfig{}}, AverageConfig{LookaheadConfig{.moving_statistics = true}}}) {
        const RunConfig config = run_of(average, 0);
        CHECK(digest_of(train_tiny(config, world).outcome.weights) ==
              digest_of(initial_weights_of(config)));
    }
}

TEST_CASE("lookahead: an epoch's steps forward, one step back, statistics too where asked",
          "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    for (const bool with_statistics : {false, true}) {
        CAPTURE(with_statistics);
        LookaheadConfig lookahead{
            .sync_period = 3, .slow_step_size = 0.25, .moving_statistics = with_statistics};
        const RunConfig config = run_of(lookahead, 1);
        const Trained trained = train_tiny(config, world);
        lookahead = {.sync_period = 1, .slow_step_size = 1.0};  // which changes nothing
        const Trained fast = train_tiny(run_of(lookahead, 1), world);
        const Trained plain = train_tiny(run_of({}, 1), world);
        CHECK(digest_of(fast.outcome.weights) == digest_of(plain.outcome.weights));
        CHECK(worst_difference(trained.outcome.weights,
                               between(initial_weights_of(config), plain.outcome.weights, 0.25,
                                       [&](const NamedTensor& tensor) {
                                           return with_statistics || is_weight(tensor);
                                       })) < 1e-6);
        if (!world.is_root()) continue;
        const TrainState& state = trained.seen.snapshots.back().state;
        CHECK(digest_of(state.weights) == digest_of(trained.outcome.weights));
    }
}

TEST_CASE("lookahead: between two steps back the slow weights are what is validated and final",
          "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    const RunConfig config =
        run_of(LookaheadConfig{.sync_period = 2, .moving_statistics = true}, 1);
    const Trained trained = train_tiny(config, world);
    const Trained steps = train_step_by_step(config, world);
    if (!world.is_root()) return;
    const TrainState& second = steps.seen.snapshots.at(1).state;  // of three steps
    CHECK(digest_of(second.weights) == digest_of(second.slots.at(kAverageSlot)));
    CHECK(digest_of(trained.outcome.weights) == digest_of(second.weights));
    CHECK(bits_of(*trained.seen.epochs[0].validation) ==
          bits_of(evaluated(config, second.weights)));
}

// Nothing in the network looks at the whole batch, so that two batches are one of twice the size.
TEST_CASE("gradients of two steps are those of a batch of both", "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    RunConfig config = tiny_run(plain_layers());
    for (LayerConfig& layer : config.layers)
        if (auto* dense = std::get_if<DenseConfig>(&layer.kind)) dense->kernel_l2 = 3e-3;
    config.train.shuffle = false;
    config.train.epochs = 3;
    config.train.optimizer = {.learning_rate = 0.05,
                              .rule = SgdConfig{.momentum = 0.9},
                              .weight_decay = 0.1,
                              .global_clipnorm = 0.8};
    RunConfig accumulating = config;
    config.train.batch_size = 16;
    accumulating.train.batch_size = 8;
    accumulating.train.optimizer.gradient_accumulation_steps = 2;
    const TinyDataset dataset{.training_samples = 64};
    const Trained expected = train_tiny(config, world, nullptr, dataset);
    const Trained found = train_tiny(accumulating, world, nullptr, dataset);
    CHECK(worst_difference(found.outcome.weights, expected.outcome.weights) < 1e-5);
    CHECK(worst_difference(found.outcome.weights, initial_weights_of(config)) > 1e-2);
    CHECK(found.seen.steps.size() == 2 * expected.seen.steps.size());
    for (std::size_t epoch = 0; epoch < expected.seen.epochs.size(); ++epoch)
        CHECK(found.seen.epochs[epoch].training.loss ==
              Approx(expected.seen.epochs[epoch].training.loss).epsilon(1e-5));
}

TEST_CASE("steps of an update go on over the ends of epochs, and those left at the end are unused",
          "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    RunConfig config = tiny_run(plain_layers());  // three steps an epoch
    config.train.epochs = 4;
    config.train.optimizer = {
        .learning_rate = 0.05, .rule = AdamConfig{}, .gradient_accumulation_steps = 5};
    const Trained trained = train_step_by_step(config, world);
    if (!world.is_root()) return;
    REQUIRE(trained.seen.snapshots.size() == 12);
    std::string before = digest_of(initial_weights_of(config));
    for (std::size_t step = 0; step < 12; ++step) {
        CAPTURE(step);
        const std::string after = digest_of(trained.seen.snapshots[step].state.weights);
        CHECK((after != before) == (step % 5 == 4));
        before = after;
    }
    CHECK(digest_of(trained.outcome.weights) == before);
}
