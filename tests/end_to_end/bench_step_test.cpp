// `bench step` tells where a step's time goes, in every format, on one rank and on two, and stores
// nothing. Times are not held to anything.

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

const Words kShort{"--steps", "2", "--rounds", "2"};

// Short, unless the words say otherwise: the last one counts.
Result bench_step(const Words& words) {
    Words all{"bench", "step", smoke_file()};
    all.insert(all.end(), kShort.begin(), kShort.end());
    all.insert(all.end(), words.begin(), words.end());
    return lockstep(all);
}

json measured(const Words& words) {
    const Result result = bench_step(words);
    INFO(result.errors);
    REQUIRE(result.exit_code == 0);
    return json::parse(result.output);
}

void check_shares(const json& step) {
    double sum = 0.0;
    for (const char* share : {"compute", "statistics", "exchange", "data", "waiting"}) {
        INFO(share);
        CHECK(step[share] >= 0.0);
        sum += step[share].get<double>();
    }
    CHECK(std::abs(sum - 1.0) < 0.005);  // of five rounded ones
}

TEST_CASE("bench step measures every run of a file on two ranks", "[end_to_end]") {
    const json tables = measured({"--ranks", "2", "--format", "json"});
    std::set<std::string> runs;
    for (const json& step : tables["steps"]) {
        runs.insert(step["run"].get<std::string>());
        CHECK(step["ranks"] == 2);
        CHECK(step["batch_size"] == 16);
        CHECK(step["images_per_second"] > 0);
        CHECK(step["speedup"] > 0);
        CHECK(step["step_by_kernels"] > 0);
        CHECK(step["step_by_parts"] > 0);
        CHECK(step["peak_mib"] >= step["share_mib"]);
        check_shares(step);
    }
    CHECK(runs == std::set<std::string>{"batch-normalized", "logits-seed1", "logits-seed2",
                                        "three-classes"});
}

TEST_CASE("every layer that computes is told of, forward and backward", "[end_to_end]") {
    const json tables =
        measured({"--ranks", "1", "--only", "batch-normalized", "--format", "json"});
    std::set<std::string> named;
    for (const json& row : tables["layers"]) {
        named.insert(row["layer"].get<std::string>() + " " + row["direction"].get<std::string>());
        CHECK(row["us"] >= 0.0);
        CHECK(row["calls"] > 0);
        const bool has_products = row["work"] == "convolution" || row["work"] == "dense" ||
                                  row["work"] == "weights" || row["work"] == "data";
        CHECK(row["gflops"].is_number() == has_products);
    }
    CHECK(named == std::set<std::string>{"conv2d forward", "conv2d backward",
                                         "batch_normalization forward",
                                         "batch_normalization backward", "dense forward",
                                         "dense backward", "all update"});
    CHECK(tables["steps"][0]["speedup"].is_null());
    CHECK(tables["steps"][0]["waiting"] == 0.0);
}

TEST_CASE("the prediction stands beside what was measured, as far as there are shards",
          "[end_to_end]") {
    const json tables =
        measured({"--ranks", "2", "--only", "batch-normalized", "--format", "json"});
    std::vector<int> ranks;
    for (const json& row : tables["scaling"]) {
        ranks.push_back(row["ranks"].get<int>());
        const bool is_measured = row["nodes"] == 1;
        CHECK(row["measured_us"].is_number() == is_measured);
        CHECK(row["error"].is_number() == is_measured);
        CHECK(row["samples_per_rank"] == 16 / ranks.back());
    }
    CHECK(ranks == std::vector<int>{1, 2, 4, 8});
}

TEST_CASE("tables are for people, CSV is the layers", "[end_to_end]") {
    const Words one{"--ranks", "1", "--only", "three-classes"};
    const Result text = bench_step(one);
    CHECK(text.exit_code == 0);
    for (const char* word : {"steps\n", "layers\n", "scaling\n", "step_by_kernels"})
        CHECK(text.output.find(word) != std::string::npos);
    Words csv = one;
    csv.insert(csv.end(), {"--format", "csv"});
    CHECK(bench_step(csv).output.starts_with("run,layer,direction,work,calls,us,"));
}

TEST_CASE("without CIFAR-10 the images are synthetic, unless --data names it", "[end_to_end]") {
    const TemporaryDirectory empty;
    const Words cifar10{"--ranks",  "1",    "--only", "three-classes",
                        "--format", "json", "--set",  "data.dataset=\"cifar10\""};
    Words elsewhere = cifar10;
    elsewhere.insert(elsewhere.end(), {"--set", "data.path=\"" + empty.path().string() + "\""});
    const Result synthetic = bench_step(elsewhere);
    CHECK(synthetic.exit_code == 0);
    CHECK(synthetic.errors.find("synthetic images") != std::string::npos);
    Words named = cifar10;
    named.insert(named.end(), {"--data", empty.path().string()});
    CHECK(bench_step(named).exit_code == 66);
}

TEST_CASE("bench step refuses what cannot be measured", "[end_to_end]") {
    CHECK(bench_step({"--ranks", "9"}).exit_code == 78);
    CHECK(bench_step({"--only", "nobody"}).exit_code == 64);
    CHECK(bench_step({"--bandwidth", "0"}).exit_code == 64);
    CHECK(bench_step({"--rounds", "0"}).exit_code == 64);
    CHECK(lockstep({"bench", "step", "no-such-file.toml"}).exit_code == 66);
}

}  // namespace
}  // namespace lockstep::tests
