// Steps of a training that is under way, each from the weights it starts from, against a plain
// network in double: what rounding did in the steps before is the same in both, so the bound can be
// that of a single step. For the networks with batch normalization, whose losses no two float32
// programs need to share from the fourth step on.
#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/network_probe.hpp"
#include "tests/support/plain_network.hpp"
#include "tests/support/tiny_training.hpp"
#include "tests/trainer/golden_setting.hpp"
#include "trainer/config/architecture.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

TutorialNetwork network_of(const std::string& name) {
    const auto networks = tutorial_networks(false);
    const auto found = std::ranges::find(networks, name, &TutorialNetwork::name);
    REQUIRE(found != networks.end());
    return *found;
}

struct Batch {
    std::vector<float> input;  // [samples, height, width, channels]
    std::vector<Label> labels;
};

Batch batch_of_step(const TutorialNetwork& network, std::size_t step, std::size_t size) {
    const ImageSet images =
        golden_images((step + 1) * size, static_cast<std::uint64_t>(network.classes));
    const auto pixels = static_cast<std::size_t>(kGoldenImage.size());
    std::vector<float> planes;
    for (const std::uint8_t pixel : std::span(images.pixels).subspan(step * size * pixels))
        planes.push_back(static_cast<float>(pixel) / 255.0F);
    Batch batch{std::vector<float>(planes.size()), {}};
    relayout(lockstep::trainer::planes(kGoldenImage), planes.data(), interleaved(kGoldenImage),
             batch.input.data(), static_cast<int>(size));
    const auto labels = std::span(images.labels).subspan(step * size);
    batch.labels.assign(labels.begin(), labels.end());
    return batch;
}

// A training, ended after some steps.
Trained train_steps(const TutorialNetwork& network, std::int64_t steps) {
    const nlohmann::json golden = golden_steps(network.name);
    RunConfig config = golden_run(network, golden);
    config.train.steps_per_epoch = steps;
    const auto images = static_cast<std::uint64_t>(config.train.batch_size) * 12;
    const RunData data = golden_data(network.classes, images);
    const NamedTensors initial = golden_weights(network, golden["seed"]);
    Trained trained;
    trained.outcome = train({.config = config,
                             .data = data,
                             .initial_weights = &initial,
                             .resume_from = nullptr,
                             .stop_requested = {}},
                            Communicator(MPI_COMM_SELF), trained.seen);
    return trained;
}

// The network in double, to be moved along a direction in the space of its weights.
class PlainLoss {
public:
    PlainLoss(const TutorialNetwork& network, const NamedTensors& weights, const Batch& batch)
        : network_(network),
          architecture_(infer_shapes(network.layers, kGoldenImage, network.classes)),
          weights_(weights),
          batch_(batch) {}

    // At weights + length x direction; the direction has a tensor for each trainable one.
    double operator()(const std::vector<Values>& direction, double length) const {
        std::vector<Values> parameters;
        std::size_t next = 0;
        for (const NamedTensor& tensor : weights_) {
            Values& values = parameters.emplace_back(in_double(tensor.values));
            if (tensor.name.starts_with("moving")) continue;
            const Values& along = direction.at(next++);
            for (std::size_t i = 0; i < values.size(); ++i) values[i] += length * along.at(i);
        }
        const auto samples = static_cast<int>(batch_.labels.size());
        return plain_loss(plain_forward(network_.layers, architecture_, parameters,
                                        in_double(batch_.input), samples),
                          batch_.labels, network_.classes);
    }

private:
    const TutorialNetwork& network_;
    Architecture architecture_;
    const NamedTensors& weights_;
    const Batch& batch_;
};

// Downhill, each element of the gradient with a weight of its own between 0.5 and 1.5, so that
// elements in a wrong order show; of length 1.
std::vector<Values> weighted_direction(const NamedTensors& gradient) {
    std::vector<Values> direction;
    double squares = 0.0;
    std::uint64_t counter = 0;
    for (const NamedTensor& tensor : gradient) {
        Values& values = direction.emplace_back(in_double(tensor.values));
        for (double& value : values) {
            value *= 0.5 + golden_unit(counter++);
            squares += value * value;
        }
    }
    for (Values& values : direction)
        for (double& value : values) value /= std::sqrt(squares);
    return direction;
}

double slope(const NamedTensors& gradient, const std::vector<Values>& direction) {
    double sum = 0.0;
    for (std::size_t t = 0; t < gradient.size(); ++t)
        for (std::size_t i = 0; i < direction[t].size(); ++i)
            sum += static_cast<double>(gradient[t].values[i]) * direction[t][i];
    return sum;
}

void check_steps_under_way(const TutorialNetwork& network) {
    CAPTURE(network.name);
    const Communicator self(MPI_COMM_SELF);
    const Trained whole = train_steps(network, 12);
    REQUIRE(whole.seen.steps.size() == 12);
    for (const std::size_t step : {2U, 3U, 7U, 11U}) {
        CAPTURE(step);
        const NamedTensors weights =
            train_steps(network, static_cast<std::int64_t>(step)).outcome.weights;
        const Batch batch = batch_of_step(network, step, 8);
        NetworkProbe probe({.layers = network.layers,
                            .input = kGoldenImage,
                            .classes = network.classes,
                            .batch = 8,
                            .shards = 3},
                           self);
        probe.network().parameters().set_weights(weights);
        const LossGradient found = probe.run(batch.input, batch.labels);
        const double trained = whole.seen.steps[step].step_metrics.loss;
        CHECK(trained == Approx(found.loss).epsilon(1e-5));

        const PlainLoss loss(network, weights, batch);
        const std::vector<Values> direction = weighted_direction(found.gradient);
        constexpr double kLength = 1e-6;
        CHECK(trained == Approx(loss(direction, 0.0)).epsilon(1e-5));
        const double difference =
            (loss(direction, kLength) - loss(direction, -kLength)) / (2.0 * kLength);
        // Of float32: where rounding decides which side of a ReLU a near-zero lies on, 3e-4 was
        // seen.
        CHECK(slope(found.gradient, direction) == Approx(difference).epsilon(2e-3));
    }
}

}  // namespace

TEST_CASE("steps under way: loss and gradient at the weights that training reached",
          "[trainer][golden]") {
    check_steps_under_way(network_of("vgg-bn"));
    check_steps_under_way(network_of("three-class-bn"));
}
