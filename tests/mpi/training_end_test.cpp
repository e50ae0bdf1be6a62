// How training ends: all epochs, a wish to stop, NaN, bad requests.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/tiny_training.hpp"
#include "trainer/determinism/digest.hpp"
#include "trainer/evaluate.hpp"
#include "trainer/parameters/initializers.hpp"
#include "trainer/training_step.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

Training training_of(const RunConfig& config, const RunData& data) {
    return {.config = config,
            .data = data,
            .initial_weights = nullptr,
            .resume_from = nullptr,
            .stop_requested = {}};
}

RunData data_of(const RunConfig& config) {
    return select_samples(make_tiny_dataset(), config.data, config.train.seed);
}

std::string weights_error(const RunConfig& config, const NamedTensors& weights) {
    const RunData data = data_of(config);
    Training training = training_of(config, data);
    training.initial_weights = &weights;
    RecordingObserver observer;
    try {
        train(training, Communicator(MPI_COMM_SELF), observer);
    } catch (const WeightsError& error) {
        return error.what();
    }
    return "no error";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("no epochs: the initial weights are evaluated", "[trainer][mpi]") {
    RunConfig config = tiny_run();
    config.train.epochs = 0;
    const Trained trained = train_tiny(config, Communicator(MPI_COMM_WORLD));
    CHECK(trained.outcome.reason == StopReason::all_epochs);
    CHECK(trained.outcome.epochs_finished == 0);
    CHECK(trained.outcome.weights_epoch == 0);
    CHECK(trained.outcome.test.count == 21);
    CHECK(std::isfinite(trained.outcome.test.loss));
    CHECK(trained.seen.begun.empty());
}

TEST_CASE("a loss that is no number stops every rank in the same step", "[trainer][mpi]") {
    RunConfig config = tiny_run(plain_layers());
    config.train.optimizer = {.learning_rate = 1e30, .rule = SgdConfig{}};
    const Communicator world(MPI_COMM_WORLD);
    std::string where = "no error";
    try {
        train_tiny(config, world);
    } catch (const NonFiniteLoss& error) {
        where = std::to_string(error.epoch()) + ", step " + std::to_string(error.step());
        CHECK(contains(error.what(), "epoch 1, step 1: the output of "));
    }
    // The first update throws the weights away; the second step sees it.
    for (const std::string& of_rank : world.gather_texts(where)) CHECK(of_rank == "1, step 1");
}

namespace {

// What a training says if the last rank was given a tensor of that name with one other value.
std::string replica_error(const std::string& tensor_name, const Communicator& world,
                          RecordingObserver& observer) {
    const RunConfig config = tiny_run();  // with batch normalization
    const RunData data = data_of(config);
    NamedTensors weights =
        train_tiny(config, Communicator(MPI_COMM_SELF)).seen.snapshots.front().state.weights;
    const auto tensor = std::ranges::find(weights, tensor_name, &NamedTensor::name);
    if (world.size() > 1 && world.rank() == world.size() - 1) tensor->values.back() += 0.5F;
    Training training = training_of(config, data);
    training.initial_weights = &weights;
    try {
        train(training, world, observer);
    } catch (const ReplicaError& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace

// Of what is trained every rank gets the same from the exchange; moving statistics are its own.
TEST_CASE("a rank whose weights differ is named, on every rank, at the end of the epoch",
          "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    RecordingObserver observer;
    const std::string words = replica_error("moving_mean", world, observer);
    const int other = world.size() - 1;
    const std::string expected = other == 0
                                     ? "no error"
                                     : "in epoch 1 the weights of rank " + std::to_string(other) +
                                           " came to differ from those of rank 0";
    for (const std::string& of_rank : world.gather_texts(words)) CHECK(of_rank == expected);
    if (other > 0) CHECK(observer.snapshots.empty());
}

TEST_CASE("ranks that begin with different weights are told so before they train",
          "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    RecordingObserver observer;
    const std::string words = replica_error("kernel", world, observer);
    const std::string expected =
        world.size() == 1 ? "no error" : "the ranks were given different weights to begin with";
    for (const std::string& of_rank : world.gather_texts(words)) CHECK(of_rank == expected);
    if (world.size() > 1) CHECK(observer.begun.empty());
}

TEST_CASE("weights that are no numbers end the run on every rank, whatever the loss was",
          "[trainer][mpi]") {
    RunConfig config = tiny_run(plain_layers());
    config.train.steps_per_epoch = 1;  // its loss is of the weights before the update
    config.train.optimizer = {.learning_rate = 1e300, .rule = SgdConfig{}};
    const Communicator world(MPI_COMM_WORLD);
    std::string where = "no error";
    RecordingObserver observer;
    const RunData data = data_of(config);
    try {
        train(training_of(config, data), world, observer);
    } catch (const NonFiniteWeights& error) {
        where = error.what();
        CHECK(error.epoch() == 1);
    }
    for (const std::string& of_rank : world.gather_texts(where))
        CHECK(contains(of_rank, "after epoch 1 conv2d/kernel holds"));
    CHECK(observer.epochs.empty());
    CHECK(observer.snapshots.empty());
}

TEST_CASE("weights that are no numbers are refused at every door", "[trainer][mpi]") {
    const Communicator self(MPI_COMM_SELF);
    RunConfig config = tiny_run();
    config.train.optimizer.rule = AdamConfig{};
    config.train.early_stopping = EarlyStoppingConfig{
        .monitor = {.metric = "val_loss"}, .patience = 9, .restore_best_weights = true};
    const TrainState good = train_tiny(config, self).seen.snapshots.front().state;
    const RunData data = data_of(config);
    for (const float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF})
        for (std::size_t i = 0; i < good.weights.size(); ++i) {
            NamedTensors weights = good.weights;
            weights[i].values.back() = bad;
            CAPTURE(weights[i].layer, weights[i].name);
            const std::string named = weights[i].layer + "/" + weights[i].name + " holds ";
            CHECK(contains(weights_error(config, weights), named));
            CHECK_THROWS_AS(evaluate(config, weights, data, data.test, self), WeightsError);
            TrainState state = good;
            state.weights = weights;
            CHECK_THROWS_AS(train_tiny(config, self, &state), WeightsError);
            state = good;
            state.early_stopping_weights = weights;
            CHECK_THROWS_AS(train_tiny(config, self, &state), WeightsError);
        }
    for (const auto& [name, tensors] : good.slots) {
        CAPTURE(name);
        TrainState state = good;
        state.slots[name].back().values.front() = std::nanf("");
        CHECK_THROWS_AS(train_tiny(config, self, &state), WeightsError);
    }
}

TEST_CASE("one rank's wish to stop ends the run on all, at once, without an update",
          "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    // 16: every rank has samples. 3: ranks at the end have none in any step.
    for (const int batch_size : {16, 3}) {
        CAPTURE(batch_size);
        RunConfig config = tiny_run();
        config.train.batch_size = batch_size;
        const RunData data = data_of(config);
        Training training = training_of(config, data);
        int asked = 0;
        const int wishing = world.size() - 1;
        training.stop_requested = [&] { return ++asked == 3 && world.rank() == wishing; };
        RecordingObserver observer;
        const TrainOutcome outcome = train(training, world, observer);
        CHECK(outcome.reason == StopReason::requested);
        CHECK(outcome.epochs_finished == 0);
        CHECK(outcome.weights.empty());
        CHECK(asked == 3);
        if (world.is_root()) CHECK(observer.steps.size() == 2);
    }
}

TEST_CASE("a step that is stopped, or whose loss is no number, leaves the whole state",
          "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    RunConfig config = tiny_run();  // with batch normalization of images and of vectors
    config.train.optimizer.rule = AdamConfig{};
    const RunData data = data_of(config);
    Network network(config.layers, data.shape, 4);
    Parameters& parameters = network.parameters();
    parameters.set_weights(initial_weights(infer_shapes(config.layers, data.shape, 4), 1));
    BufferPool pool;
    TrainingStep step(config, data, network, world, pool);
    std::vector<std::uint32_t> samples(16);
    std::iota(samples.begin(), samples.end(), 0U);
    step.run(samples, 1, 0, {});

    const auto state = [&] {
        std::string digests = parameters.digest();
        for (const auto& [name, values] : step.optimizer().slots())
            digests += sha256_hex(std::as_bytes(values));
        return digests;
    };
    const std::string before = state();
    CHECK(step.run(samples, 1, 1, {.stop = world.rank() == world.size() - 1}).wishes.stop);
    CHECK(state() == before);
    // An infinite bias of the logits, set past set_weights(), which would refuse it.
    // Ranks of one node share it.
    float* bias = parameters.data(parameters.weights().size() - 1);
    const float kept = *bias;
    const auto set_bias = [&](float value) {
        world.barrier();
        *bias = value;
        world.barrier();
    };
    set_bias(HUGE_VALF);
    const std::string with_infinity = state();
    CHECK_THROWS_AS(step.run(samples, 1, 1, {}), NonFiniteLoss);
    CHECK(state() == with_infinity);
    set_bias(kept);
    CHECK(state() == before);
    world.barrier();
    // And a step that counts moves everything.
    step.run(samples, 1, 1, {});
    CHECK(state() != before);
}

TEST_CASE("more ranks than shards are refused", "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    RunConfig config = tiny_run();
    config.parallel.shards = world.size() - 1;
    if (config.parallel.shards == 0) return;
    CHECK_THROWS_AS(train_tiny(config, world), std::invalid_argument);
}

TEST_CASE("weights of another network are refused, with the layer and both shapes",
          "[trainer][mpi]") {
    const RunConfig config = tiny_run(plain_layers());
    const NamedTensors fitting =
        train_tiny(config, Communicator(MPI_COMM_SELF)).seen.snapshots.front().state.weights;
    CHECK(weights_error(config, fitting) == "no error");

    RunConfig other = tiny_run(plain_layers());
    std::get<DenseConfig>(other.layers[3].kind).units = 13;
    const std::string message = weights_error(other, fitting);
    CHECK(contains(message, "dense/kernel should have shape (54, 13)"));
    CHECK(contains(message, "dense/kernel of shape (54, 12)"));

    NamedTensors fewer = fitting;
    fewer.pop_back();
    CHECK(contains(weights_error(config, fewer), "6 tensors, the file has 5"));

    NamedTensors short_of_values = fitting;
    short_of_values[1].values.pop_back();
    CHECK(contains(weights_error(config, short_of_values), "conv2d/bias"));

    NamedTensors renamed = fitting;  // names are the user's affair
    renamed[0].layer = "first";
    CHECK(weights_error(config, renamed) == "no error");
}

TEST_CASE("a state without the optimizer's slots is refused", "[trainer][mpi]") {
    const Communicator self(MPI_COMM_SELF);
    RunConfig config = tiny_run(plain_layers());
    config.train.optimizer.rule = SgdConfig{};
    const Trained sgd = train_tiny(config, self);
    config.train.optimizer.rule = AdamConfig{};
    CHECK_THROWS_AS(train_tiny(config, self, &sgd.seen.snapshots.front().state), WeightsError);
}
