// The first steps of networks that are no chains, as experiment files have them, against PyTorch in
// float64: tests/golden/README.md.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/network_probe.hpp"
#include "tests/support/tiny_training.hpp"
#include "tests/trainer/golden_setting.hpp"
#include "trainer/parameters/initializers.hpp"

using namespace lockstep;
using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

// What float32 may do, relative to float64.
struct GoldenGraph {
    const char* name;
    double gradient;           // norms and projections of the first batch
    std::vector<double> loss;  // by step
};
const std::vector<GoldenGraph> kGraphs{{"resnet20", 1e-4, {2e-6, 1e-4, 1e-3}},
                                       {"inception", 1e-4, {2e-6, 1e-4, 1e-3}},
                                       {"mobilenet", 1e-4, {2e-6, 1e-4, 1e-3}},
                                       {"odd-layers", 1e-4, {2e-6, 1e-4, 1e-3}}};

RunConfig run_of(const std::string& name) {
    std::ifstream file(std::string(LOCKSTEP_GOLDEN_DIRECTORY) + "/" + name + ".toml");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return read(text).runs.at(0).config;
}

NamedTensors weights_of(const RunConfig& config, const nlohmann::json& steps) {
    const auto architecture = infer_shapes(config.layers, kGoldenImage, steps["classes"]);
    NamedTensors weights = initial_weights(architecture, 1);
    const std::vector<std::string> kernels = steps["kernels"];
    const std::uint64_t seed = steps["seed"];
    for (NamedTensor& tensor : weights) {
        const bool is_one = tensor.name == "gamma" || tensor.name == "moving_variance";
        std::ranges::fill(tensor.values, is_one ? 1.0F : 0.0F);
        const auto kernel = std::ranges::find(kernels, tensor.layer + "/" + tensor.name);
        if (kernel == kernels.end()) continue;
        tensor.values =
            golden_kernel(seed, static_cast<std::uint64_t>(kernel - kernels.begin()), tensor.shape);
    }
    return weights;
}

// A bias in front of a normalization has a gradient of nothing but rounding: small ones count by
// the norm of all.
double least_norm(const nlohmann::json& summaries) {
    double all = 0.0;
    for (const auto& summary : summaries) all = std::hypot(all, summary[0].get<double>());
    return 1e-3 * all;
}

}  // namespace

TEST_CASE("golden graphs: loss and gradients of the first batch", "[golden]") {
    const Communicator self(MPI_COMM_SELF);
    for (const GoldenGraph& graph : kGraphs) {
        CAPTURE(graph.name);
        const nlohmann::json steps = golden_steps(graph.name);
        const RunConfig config = run_of(graph.name);
        const int batch = steps["batch_size"], classes = steps["classes"];
        NetworkProbe probe({.layers = config.layers,
                            .input = kGoldenImage,
                            .classes = classes,
                            .batch = batch,
                            .shards = 3},
                           self);
        probe.network().parameters().set_weights(weights_of(config, steps));
        const ImageSet images =
            golden_images(static_cast<std::uint64_t>(batch), static_cast<std::uint64_t>(classes));
        const LossGradient first = probe.run(golden_input(images), images.labels);
        CHECK(first.loss == Approx(steps["losses"][0].get<double>()).epsilon(graph.loss[0]));
        const nlohmann::json& gradients = steps["gradients"];
        CHECK(first.gradient.size() == gradients.size());
        CHECK(largest_golden_error(first.gradient, gradients, least_norm(gradients)) <=
              graph.gradient);
    }
}

TEST_CASE("golden graphs: losses of the first steps on any ranks", "[golden][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    for (const GoldenGraph& graph : kGraphs) {
        CAPTURE(graph.name);
        const nlohmann::json steps = golden_steps(graph.name);
        RunConfig config = run_of(graph.name);
        config.train.batch_size = steps["batch_size"];
        config.train.epochs = 1;
        config.train.shuffle = false;
        config.train.record_steps = true;
        config.train.optimizer.rule =
            SgdConfig{.momentum = steps["momentum"].get<double>(), .nesterov = false};
        config.train.optimizer.learning_rate = steps["learning_rate"];
        const auto images =
            static_cast<std::uint64_t>(config.train.batch_size) * steps["losses"].size();
        const RunData data = golden_data(steps["classes"], images);
        const NamedTensors initial = weights_of(config, steps);
        const Training training{.config = config,
                                .data = data,
                                .initial_weights = &initial,
                                .resume_from = nullptr,
                                .stop_requested = {}};
        RecordingObserver seen;
        train(training, world, seen);
        CHECK(seen.steps.size() == (world.is_root() ? graph.loss.size() : 0));
        for (std::size_t i = 0; i < seen.steps.size(); ++i) {
            CAPTURE(i);
            const double loss = steps["losses"][i];
            CHECK(seen.steps[i].step_metrics.loss == Approx(loss).epsilon(graph.loss[i]));
        }
    }
}
