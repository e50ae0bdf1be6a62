// The first steps of the five tutorials' networks against PyTorch in float64:
// tests/golden/README.md.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/network_probe.hpp"
#include "tests/support/random_values.hpp"
#include "tests/support/tiny_training.hpp"
#include "tests/support/tutorial_networks.hpp"
#include "trainer/config/architecture.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

constexpr Shape kImage{32, 32, 3, false};
constexpr std::uint64_t kPixels = 32 * 32;

double unit(std::uint64_t counter) {
    return static_cast<double>(splitmix64(counter) >> 11) * 0x1p-53;
}

nlohmann::json golden(const std::string& name) {
    std::ifstream file(std::string(LOCKSTEP_GOLDEN_DIRECTORY) + "/" + name + ".json");
    return nlohmann::json::parse(file);
}

ImageSet golden_images(std::uint64_t count, std::uint64_t classes) {
    ImageSet images;
    for (std::uint64_t n = 0; n < count; ++n) {
        const std::uint64_t label = splitmix64((1ULL << 60) + n) % classes;
        images.labels.push_back(static_cast<std::uint8_t>(label));
        for (std::uint64_t i = 0; i < 3 * kPixels; ++i) {
            const std::uint64_t c = i / kPixels, h = i / 32 % 32, w = i % 32;
            const auto pattern =
                splitmix64((1ULL << 61) + (label << 20) + 64 * c + 8 * (h / 4) + w / 4) & 127;
            const auto noise = splitmix64((1ULL << 62) + (n << 20) + i) & 127;
            images.pixels.push_back(static_cast<std::uint8_t>(pattern + noise));
        }
    }
    return images;
}

RunData golden_data(int classes, std::uint64_t count) {
    auto dataset = std::make_shared<Dataset>();
    dataset->shape = kImage;
    for (int label = 0; label < classes; ++label)
        dataset->class_names.push_back(std::to_string(label));
    dataset->training = golden_images(count, static_cast<std::uint64_t>(classes));
    dataset->test = golden_images(1, 1);
    return select_samples(dataset, DataConfig{}, 1);
}

NamedTensors golden_weights(const TutorialNetwork& network, std::uint64_t seed) {
    NamedTensors weights;
    std::uint64_t kernel = 0;
    for (const LayerShape& layer : infer_shapes(network.layers, kImage, network.classes).layers)
        for (const ParameterShape& parameter : layer.parameters) {
            const auto size = static_cast<std::size_t>(parameter.size());
            const bool is_one = parameter.name == "gamma" || parameter.name == "moving_variance";
            NamedTensor tensor{layer.name, parameter.name, parameter.shape,
                               std::vector<float>(size, is_one ? 1.0F : 0.0F)};
            if (parameter.name == "kernel") {
                const auto& shape = parameter.shape;
                const auto in = shape[shape.size() - 2], out = shape[shape.size() - 1];
                const double fans = static_cast<double>(parameter.size() / (in * out) * (in + out));
                const std::uint64_t counter = (seed << 40) + (kernel++ << 32);
                for (std::size_t i = 0; i < size; ++i)
                    tensor.values[i] =
                        static_cast<float>((2.0 * unit(counter + i) - 1.0) * std::sqrt(6.0 / fans));
            }
            weights.push_back(std::move(tensor));
        }
    return weights;
}

RunConfig golden_run(const TutorialNetwork& network, const nlohmann::json& steps) {
    RunConfig config;
    config.name = network.name;
    config.layers = network.layers;
    config.train.batch_size = steps["batch_size"];
    config.train.steps_per_epoch = static_cast<std::int64_t>(steps["losses"].size());
    config.train.shuffle = false;
    config.train.optimizer = network.optimizer;
    return config;
}

// What float32 rounding may do, relative to float64. Batch normalization amplifies it from step to
// step, and Adam turns a gradient of almost nothing into a whole step: where rounding decides its
// sign, one bias of the first update is far off.
struct Tolerance {
    std::vector<double> loss;  // by step; the last one for all that follow
    std::size_t exact_accuracies;
    double weights;  // after one update

    double of_step(std::size_t step) const { return loss[std::min(step, loss.size() - 1)]; }
};

Tolerance tolerance_of(const std::string& network) {
    if (network == "vgg-bn") return {{2e-6, 2e-5, 3e-4, 0.5}, 3, 5e-2};
    if (network == "three-class-bn") return {{2e-6, 2e-5, 3e-4}, 12, 1e-3};
    if (network == "small-alexnet") return {{1e-6}, 12, 1e-5};
    return {{1e-6}, 12, 1e-4};
}

// Largest error of norms and projections, relative to the norm: see tests/golden/README.md.
double largest_error(const NamedTensors& tensors, const nlohmann::json& summaries) {
    CHECK(tensors.size() == summaries.size());
    double worst = 0.0;
    for (const NamedTensor& tensor : tensors) {
        double squares = 0.0, projection = 0.0;
        for (std::size_t i = 0; i < tensor.values.size(); ++i) {
            const auto value = static_cast<double>(tensor.values[i]);
            squares += value * value;
            projection += value * (2.0 * unit((1ULL << 59) + i) - 1.0);
        }
        const auto summary = summaries.find(tensor.layer + "/" + tensor.name);
        if (summary == summaries.end()) return HUGE_VAL;
        const double norm = (*summary)[0], expected = (*summary)[1];
        const double error =
            std::max(std::abs(std::sqrt(squares) - norm), std::abs(projection - expected)) / norm;
        if (!(error <= worst)) worst = error;  // a NaN is the worst
    }
    return worst;
}

}  // namespace

TEST_CASE("golden steps: loss and gradients of the first batch", "[trainer][golden]") {
    const Communicator self(MPI_COMM_SELF);
    for (const TutorialNetwork& network : tutorial_networks(false)) {
        CAPTURE(network.name);
        const nlohmann::json steps = golden(network.name);
        const int batch = steps["batch_size"];
        NetworkProbe probe({.layers = network.layers,
                            .input = kImage,
                            .classes = network.classes,
                            .batch = batch,
                            .shards = 3},
                           self);
        probe.network().parameters().set_weights(golden_weights(network, steps["seed"]));
        const ImageSet images = golden_images(static_cast<std::uint64_t>(batch),
                                              static_cast<std::uint64_t>(network.classes));
        std::vector<float> planes;
        for (const std::uint8_t pixel : images.pixels)
            planes.push_back(static_cast<float>(pixel) / 255.0F);
        std::vector<float> input(planes.size());
        const Layout keras = interleaved(kImage);
        relayout(lockstep::trainer::planes(kImage), planes.data(), keras, input.data(), batch);

        const LossGradient first = probe.run(input, images.labels);
        CHECK(first.loss == Approx(steps["losses"][0].get<double>()).epsilon(2e-6));
        CHECK(largest_error(first.gradient, steps["gradients"]) <= 1e-5);
    }
}

TEST_CASE("golden steps: every loss and accuracy, and the weights after one update",
          "[trainer][golden][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    for (const TutorialNetwork& network : tutorial_networks(false)) {
        CAPTURE(network.name);
        const nlohmann::json steps = golden(network.name);
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
        for (std::size_t i = 0; i < seen.steps.size(); ++i) {
            CAPTURE(i);
            const double loss = steps["losses"][i], accuracy = steps["accuracies"][i];
            const Metrics& step = seen.steps[i].step_metrics;
            CHECK(std::abs(step.loss - loss) <= tolerance.of_step(i) * loss);
            if (i < tolerance.exact_accuracies) CHECK(step.accuracy == accuracy);
        }
        config.train.steps_per_epoch = 1;
        const TrainOutcome after = train(training, world, seen);
        CHECK(largest_error(after.weights, steps["weights_after"]) <= tolerance.weights);
    }
}
