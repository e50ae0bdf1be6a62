// Measuring a step changes nothing of it, and its figures fit together. No time is held to a bound.
#include "trainer/benchmark/step_benchmark.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/network_probe.hpp"
#include "tests/support/random_values.hpp"
#include "tests/support/tiny_training.hpp"
#include "trainer/benchmark/scaling_benchmark.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

constexpr StepBenchmarkConfig kShort{.steps = 2, .rounds = 2, .repeats = 2};

RunData data_of(const RunConfig& config) {
    return select_samples(make_tiny_dataset(), config.data, config.train.seed);
}

std::string weights_after_plain_steps(const RunConfig& config, const Communicator& comm,
                                      int steps) {
    const RunData data = data_of(config);
    MeasuredTraining training(config, data, comm);
    training.plain(steps);
    return training.network().parameters().digest();
}

}  // namespace

TEST_CASE("measuring leaves a training its bits", "[trainer][mpi]") {
    const Communicator comm(MPI_COMM_WORLD);
    const RunConfig config = tiny_run();
    const RunData data = data_of(config);
    MeasuredTraining training(config, data, comm);
    training.clocked(1, Meeting::as_in_training);
    training.clocked(1, Meeting::together);
    training.alone(2, 3);
    CHECK(training.network().parameters().digest() == weights_after_plain_steps(config, comm, 2));
}

TEST_CASE("a call that is made again finds what it found before", "[trainer][mpi]") {
    const Communicator self(MPI_COMM_SELF);
    constexpr int kBatch = 6, kClasses = 4;
    const Shape shape{8, 8, 3, false};
    NetworkProbe probe({every_kind_of_layer(kClasses), shape, kClasses, kBatch, 3}, self);
    RandomValues random(5);
    const std::span<float> weights = probe.network().parameters().trainable();
    std::ranges::copy(random.floats(weights.size(), -0.3, 0.3), weights.begin());
    const std::vector<float> input = random.floats(static_cast<std::size_t>(kBatch * shape.size()));
    const std::vector<Label> labels{0, 1, 2, 3, 0, 1};

    const LossGradient once = probe.run(input, labels);
    AloneWalker walker(probe.plan(), 4);
    probe.plan().walk_by(&walker);
    const LossGradient again = probe.run(input, labels);
    CHECK(again.loss == once.loss);
    CHECK(digest_of(again.gradient) == digest_of(once.gradient));
    CHECK(std::ranges::count_if(walker.times().seconds(), [](double s) { return s > 0.0; }) > 20);
}

TEST_CASE("the figures of a step name every node and fit together", "[trainer][mpi]") {
    const Communicator comm(MPI_COMM_WORLD);
    const RunConfig config = tiny_run();
    const RunData data = data_of(config);
    MeasuredTraining training(config, data, comm);
    const StepBenchmark figures = benchmark_step(training, kShort);
    CHECK(figures.batch == config.train.batch_size);
    CHECK(figures.step_seconds > 0.0);
    CHECK(figures.step_by_kernels > 0.0);
    CHECK(figures.step_by_parts > 0.0);
    CHECK(figures.update_seconds > 0.0);
    CHECK(figures.update_alone_seconds > 0.0);
    CHECK(figures.fma_peak > 0.0);
    CHECK(figures.shares.compute > 0.0);
    CHECK(figures.shares.statistics > 0.0);
    CHECK(figures.shares.exchange > 0.0);
    CHECK(figures.shares.data > 0.0);
    CHECK(figures.shares.waiting >= 0.0);
    REQUIRE(figures.memory.size() == static_cast<std::size_t>(comm.size()));
    for (const ResidentMemory& rank : figures.memory) {
        CHECK(rank.now > 1 << 20);
        CHECK(rank.peak >= rank.now);
    }

    std::set<std::string> forward, backward;
    double forward_flops = 0.0, backward_flops = 0.0;
    for (const WorkTiming& work : figures.works) {
        (work.is_backward ? backward : forward).insert(work.layer);
        CHECK(work.calls > 0);
        CHECK(work.seconds > 0.0);
        CHECK(work.alone_seconds > 0.0);
        (work.is_backward ? backward_flops : forward_flops) += work.flops;
    }
    for (const Node& node : training.network().graph().nodes()) {
        INFO(node.name);
        CHECK(forward.contains(node.name));
        CHECK(backward.contains(node.name));
    }
    // 2 a multiply-add of every convolution and dense layer; backward by weights and, but for the
    // first layer, by data.
    double of_all = 0.0;
    const auto layers = infer_shapes(config.layers, data.shape, 4).layers;
    for (const LayerShape& layer : layers)
        if (layer.class_name == "Conv2D" || layer.class_name == "Dense")
            of_all += static_cast<double>(layer.flops);
    const int samples = training.plan().geometry().samples;
    CHECK(forward_flops == of_all * samples);
    CHECK(backward_flops == (2 * of_all - static_cast<double>(layers.front().flops)) * samples);
}

TEST_CASE("one rank alone trains the whole batch, a half and a quarter", "[trainer][mpi]") {
    const Communicator comm(MPI_COMM_WORLD);
    RunConfig config = tiny_run(plain_layers());
    config.parallel.shards = 12;  // 16 samples on 12, then 8 on 6, then 4 on 3
    const RunData data = data_of(config);
    MeasuredTraining training(config, data, comm);
    const ScalingBenchmark scaling = benchmark_scaling(training, kShort);
    CHECK(scaling.speedup > 0.0);
    std::vector<int> samples;
    for (const LoneTiming& timing : scaling.lone) {
        samples.push_back(timing.samples);
        CHECK(timing.step > 0.0);
        CHECK(timing.passes > 0.0);
        CHECK(timing.exchange > 0.0);
    }
    CHECK(samples == std::vector<int>{16, 8, 4});
}

TEST_CASE("shards that cannot be halved stay whole", "[trainer][mpi]") {
    const Communicator comm(MPI_COMM_WORLD);
    RunConfig config = tiny_run(plain_layers());
    config.parallel.shards = 3;
    const RunData data = data_of(config);
    MeasuredTraining training(config, data, comm);
    CHECK(benchmark_scaling(training, kShort).lone.size() == 1);
}
