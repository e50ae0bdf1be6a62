// The first steps of the five tutorials' networks, and of one of all kinds of convolutions, against
// PyTorch in float64:
// tests/golden/README.md.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/network_probe.hpp"
#include "tests/support/tiny_training.hpp"
#include "tests/support/tutorial_networks.hpp"
#include "tests/trainer/golden_setting.hpp"
#include "trainer/kernels/softmax.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

// What float32 rounding may do, relative to float64. Batch normalization amplifies it from step to
// step, and Adam turns a gradient of almost nothing into a whole step: where rounding decides its
// sign, one bias of the first update is far off.
struct Tolerance {
    std::vector<double> loss;  // by step; the last one for all that follow
    std::size_t steps;         // that are compared
    double weights;            // after one update

    double of_step(std::size_t step) const { return loss[std::min(step, loss.size() - 1)]; }
};

// Of networks with batch normalization only three steps: from the fourth on programs in float32 may
// drift apart, and a bound that lets them pass could not fail. vgg-bn: oneDNN held to SSE4.1, to
// AVX2 and free differ from float64 by 0.0001 to 0.002 there, by 0.02 to 0.45 in the twelfth. Its
// third step already hangs on a near tie: with direct convolutions and initial weights that are off
// by a relative 1e-6 at most, eight tries differed by 5e-6 to 1.1e-3.
// three-class-bn: with direct convolutions and initial weights that are off by a relative 1e-6 at
// most, of six tries three differed by 0.0001 to 0.003 there and by 0.0003 to 0.04 in the twelfth.
// Later steps are compared from the weights they start from, in restarted_steps_test.cpp.
Tolerance tolerance_of(const std::string& network) {
    if (network == "vgg-bn") return {{2e-6, 2e-5, 2e-3}, 3, 5e-2};
    if (network == "three-class-bn") return {{2e-6, 2e-5, 3e-4}, 3, 1e-3};
    if (network == "small-alexnet") return {{1e-6}, 12, 1e-5};
    return {{1e-6}, 12, 1e-4};
}

}  // namespace

TEST_CASE("golden steps: loss and gradients of the first batch", "[trainer][golden]") {
    const Communicator self(MPI_COMM_SELF);
    for (const TutorialNetwork& network : golden_networks()) {
        CAPTURE(network.name);
        const nlohmann::json steps = golden_steps(network.name);
        const int batch = steps["batch_size"];
        NetworkProbe probe({.layers = network.layers,
                            .input = kGoldenImage,
                            .classes = network.classes,
                            .batch = batch,
                            .shards = 3},
                           self);
        probe.network().parameters().set_weights(golden_weights(network, steps["seed"]));
        const ImageSet images = golden_images(static_cast<std::uint64_t>(batch),
                                              static_cast<std::uint64_t>(network.classes));
        const LossGradient first = probe.run(golden_input(images), images.labels);
        CHECK(first.loss == Approx(steps["losses"][0].get<double>()).epsilon(2e-6));
        CHECK(first.gradient.size() == steps["gradients"].size());
        CHECK(largest_golden_error(first.gradient, steps["gradients"]) <= 1e-5);
    }
}

TEST_CASE("golden steps: losses and accuracies, and the weights after one update",
          "[trainer][golden][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    for (const TutorialNetwork& network : golden_networks()) {
        CAPTURE(network.name);
        const nlohmann::json steps = golden_steps(network.name);
        RunConfig config = golden_run(network, steps);
        const auto images =
            static_cast<std::uint64_t>(config.train.batch_size) * steps["losses"].size();
        const RunData data = golden_data(network.classes, images);
        const NamedTensors initial = golden_weights(network, steps["seed"]);
        const Training training{.config = config,
                                .data = data,
                                .initial_weights = &initial,
                                .resume_from = nullptr,
                                .stop_requested = {}};
        RecordingObserver seen;
        train(training, world, seen);
        const Tolerance tolerance = tolerance_of(network.name);
        CHECK(seen.steps.size() == (world.is_root() ? steps["losses"].size() : 0));
        for (std::size_t i = 0; i < std::min(tolerance.steps, seen.steps.size()); ++i) {
            CAPTURE(i);
            const double loss = steps["losses"][i], accuracy = steps["accuracies"][i];
            const Metrics& step = seen.steps[i].step_metrics;
            CHECK(std::abs(step.loss - loss) <= tolerance.of_step(i) * loss);
            CHECK(step.accuracy == accuracy);
        }
        config.train.steps_per_epoch = 1;
        const TrainOutcome after = train(training, world, seen);
        CHECK(after.weights.size() == steps["weights_after"].size());
        CHECK(largest_golden_error(after.weights, steps["weights_after"]) <= tolerance.weights);
    }
}

TEST_CASE("golden losses of weighted classes", "[trainer][golden]") {
    const nlohmann::json golden = golden_steps("class-weights");
    const std::vector<double> weights = golden["weights"], losses = golden["losses"];
    const std::vector<double> gradient = golden["gradient"];
    const std::vector<Label> labels = golden["labels"];
    const std::size_t classes = weights.size();
    std::vector<float> logits;
    for (std::size_t n = 0; n < labels.size(); ++n)
        for (std::size_t c = 0; c < classes; ++c)
            logits.push_back(
                static_cast<float>(8.0 * golden_unit((std::uint64_t{1} << 50) + 64 * n + c) - 4.0));
    const auto count = static_cast<int>(labels.size());
    std::vector<float> diff(logits.size());
    const LossSum sum =
        softmax_cross_entropy(logits, labels, static_cast<int>(classes), count, diff, 0.0, weights);
    double expected = 0.0;
    for (std::size_t n = 0; n < labels.size(); ++n) {
        expected += losses[n];
        const LossSum one = softmax_cross_entropy(std::span(logits).subspan(n * classes, classes),
                                                  std::span(labels).subspan(n, 1),
                                                  static_cast<int>(classes), 1, {}, 0.0, weights);
        CHECK(one.loss == Approx(losses[n]).epsilon(1e-12));
    }
    CHECK(sum.loss == Approx(expected).epsilon(1e-12));
    for (std::size_t i = 0; i < diff.size(); ++i)
        CHECK(static_cast<double>(diff[i]) == Approx(gradient[i]).epsilon(1e-6).margin(1e-12));
}
