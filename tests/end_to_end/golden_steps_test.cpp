// Keras' semantics: the losses of 20 steps against traces that independent programs made from the
// same weights on the same real images (LOCKSTEP_ORACLE, LOCKSTEP_DATA), at 1, 2 and 3 ranks.

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/needs.hpp"

namespace lockstep::tests {
namespace {

using Json = nlohmann::json;

// Relative differences from the trace in float64 that float32 rounding may make, by step; the last
// one holds for the steps behind it. Where none is given, programs in float32 drift apart.
struct Golden {
    std::string run;      // of golden_steps.toml
    std::string trace;    // <trace>.json
    std::string weights;  // the initial ones
    int steps;
    std::vector<double> tolerances;
};

const std::vector<Golden> kGoldens{
    {"vgg-bn",
     "vgg32_64_128_bn_dense128.main.torch64",
     "vgg32_64_128_bn_dense128.init.h5",
     20,
     {2e-6, 2e-5, 3e-4}},
    {"vgg-bn",
     "vgg32_64_128_bn_dense128.restart.torch64",
     "vgg32_64_128_bn_dense128.main.tfjs.final.h5",
     2,
     {5e-6, 5e-6}},
    {"small-alexnet",
     "k2same16_32_64_dense500.main.torch64",
     "k2same16_32_64_dense500.init.h5",
     20,
     {1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6,
      1e-6, 1e-6, 1e-6, 4e-3, 4e-3, 4e-3, 4e-3, 4e-3, 4e-3, 4e-3}},
};

std::vector<double> losses_of(const Golden& golden, int ranks, const std::filesystem::path& oracle,
                              const std::filesystem::path& data) {
    const TemporaryDirectory folder;
    const std::string store = (folder / "store").string();
    const Result run =
        lockstep({"run", LOCKSTEP_GOLDEN_EXPERIMENT, "--store", store, "--data", data.string(),
                  "--quiet", "--ranks", std::to_string(ranks), "--only", golden.run, "--set",
                  "train.steps_per_epoch=" + std::to_string(golden.steps), "--set",
                  "train.initial_weights=\"" + (oracle / golden.weights).string() + "\""});
    INFO(run.errors);
    CHECK(run.exit_code == 0);
    const Result rows = lockstep(
        {"query", "select loss from steps order by step", "--store", store, "--format", "json"});
    std::vector<double> losses;
    for (const Json& row : Json::parse(rows.output)) losses.push_back(row.at("loss"));
    return losses;
}

TEST_CASE("Golden steps: losses agree with independent programs at 1, 2 and 3 ranks",
          "[end_to_end][oracle]") {
    const auto oracle = oracle_folder(), data = cifar10_folder();
    for (const Golden& golden : kGoldens) {
        INFO(golden.trace);
        const Json trace = Json::parse(read_text(oracle / (golden.trace + ".json")));
        const std::vector<double> losses = losses_of(golden, 1, oracle, data);
        REQUIRE(losses.size() == static_cast<std::size_t>(golden.steps));
        for (std::size_t step = 0; step < golden.tolerances.size(); ++step) {
            INFO("step " << step);
            const double expected = trace.at("steps").at(step).at("loss");
            CHECK(std::abs(losses[step] - expected) <= golden.tolerances[step] * expected);
        }
        CHECK(losses_of(golden, 2, oracle, data) == losses);
        CHECK(losses_of(golden, 3, oracle, data) == losses);
    }
}

}  // namespace
}  // namespace lockstep::tests
