// Networks that Lockstep exported, run by onnxruntime: its probabilities against those that the
// training itself left in predictions.h5, on the images that lie there.
//
// Needs Node.js and the npm package onnxruntime-node, found as Node finds packages: with NODE_PATH
// (scripts/install-onnxruntime.sh gets them).

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "storage/weights/predictions_file.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr double kTolerance = 1e-5;  // of a probability

void write_pixels(const fs::path& path, const std::vector<std::uint8_t>& pixels) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(pixels.data()),
               static_cast<std::streamsize>(pixels.size()));
}

// What onnxruntime says of the images in a run's predictions.h5: [images, classes].
std::vector<float> foreign_probabilities(const fs::path& run, const fs::path& store,
                                         const storage::Predictions& predictions) {
    const TemporaryDirectory folder;
    const std::string onnx = (folder / "network.onnx").string();
    const Result exported = lockstep({"export", "weights", run.filename().string(), "--store",
                                      store.string(), "--format", "onnx", "--out", onnx});
    INFO(exported.errors);
    REQUIRE(exported.exit_code == 0);
    write_pixels(folder / "pixels", predictions.images);
    Process node({"node", LOCKSTEP_ONNX_SCRIPT, onnx, (folder / "pixels").string(),
                  std::to_string(predictions.image_samples.size())});
    const int exit_code = node.wait();
    INFO(node.errors());
    REQUIRE(exit_code == 0);
    const Json answer = Json::parse(node.output());
    CHECK(answer.at("inputs") == Json({"pixels"}));
    CHECK(answer.at("outputs") == Json({"probabilities"}));
    return answer.at("probabilities").get<std::vector<float>>();
}

void check_run(const fs::path& run, const fs::path& store) {
    CAPTURE(run.filename().string());
    const auto ours = storage::read_predictions(run / "predictions.h5");
    const auto theirs = foreign_probabilities(run, store, ours);
    const std::size_t classes = ours.class_names.size();
    REQUIRE(!ours.image_samples.empty());
    REQUIRE(theirs.size() == ours.image_samples.size() * classes);
    double largest = 0.0;
    for (std::size_t i = 0; i < theirs.size(); ++i) {
        const std::size_t sample = ours.image_samples[i / classes];
        const double difference =
            double{theirs[i]} - double{ours.probabilities[sample * classes + i % classes]};
        largest = std::max(largest, std::isnan(difference) ? 1.0 : std::abs(difference));
    }
    CHECK(largest < kTolerance);
}

void check_experiment(std::vector<std::string> arguments, std::size_t runs) {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    arguments.insert(arguments.begin(), "run");
    arguments.insert(arguments.end(), {"--store", store.string(), "--ranks", "2", "--quiet"});
    const Result result = lockstep(arguments);
    INFO(result.errors);
    REQUIRE(result.exit_code == 0);
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(store / "runs")) {
        check_run(entry.path(), store);
        ++count;
    }
    CHECK(count == runs);
}

// Between them they have every layer and activation: tests/golden/README.md.
TEST_CASE("onnxruntime: graphs, and layers of all kinds", "[interop]") {
    for (const char* name : {"odd-layers", "mobilenet", "inception"}) {
        CAPTURE(name);
        check_experiment(
            {LOCKSTEP_GOLDEN "/" + std::string(name) + ".toml", "--set",
             "data.dataset=\"synthetic\"", "--set", "data.training_samples=64", "--set",
             "data.test_samples=40", "--set", "train.epochs=1", "--set", "train.batch_size=16"},
            1);
    }
}

TEST_CASE("onnxruntime: probabilities are ours, with every kind of layer", "[interop]") {
    check_experiment({LOCKSTEP_EXPERIMENTS "/smoke.toml"}, 4);
}

TEST_CASE("onnxruntime: probabilities are ours, with layers at their edges", "[interop]") {
    check_experiment({LOCKSTEP_EDGES}, 4);
}

TEST_CASE("onnxruntime: probabilities are ours, for the networks of the tutorials", "[interop]") {
    check_experiment({LOCKSTEP_EXPERIMENTS "/quickstart.toml", "--set", "data.dataset=synthetic",
                      "--set", "data.training_samples=160", "--set", "data.test_samples=90",
                      "--set", "data.validation={ first = 32 }", "--set", "train.epochs=1", "--set",
                      "train.steps_per_epoch=1", "--set", "run.vgg-bn.train.steps_per_epoch=1"},
                     5);
}

}  // namespace
}  // namespace lockstep::tests
