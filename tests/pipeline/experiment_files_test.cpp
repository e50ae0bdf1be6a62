// The files in experiments/, and the page that explains their keys.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/planning/plan.hpp"
#include "reports/figures/design.hpp"
#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep;
using namespace lockstep::tests;

namespace {

const std::filesystem::path kFolder = LOCKSTEP_EXPERIMENTS_DIR;

std::string text_of(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(kFolder / name).rdbuf();
    return text.str();
}

pipeline::Plan plan_of(const std::string& name, const std::vector<std::string>& overrides = {}) {
    const auto unset = [](const std::string&) { return std::optional<std::string>(); };
    return pipeline::plan(pipeline::read_spec(text_of(name), kFolder / name, {overrides, unset}));
}

// The part of the page below the heading, up to the next one.
std::string section(const std::string& page, const std::string& heading) {
    const std::size_t begin = page.find("\n### " + heading + "\n");
    if (begin == std::string::npos) return {};
    return page.substr(begin, page.find("\n##", begin + 4) - begin);
}

}  // namespace

TEST_CASE("the five tutorials have the parameters of their texts", "[experiments]") {
    const pipeline::Plan plan = plan_of("tutorials.toml");
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> counts;  // all, not trainable
    for (const auto& run : plan.runs) {
        counts[run.run.config.name] = {run.parameters, run.parameters - run.trainable_parameters};
    }
    REQUIRE(counts.size() == 5);
    CHECK(counts["conv10-64-64"] == std::pair<std::int64_t, std::int64_t>(146'542, 0));
    CHECK(counts["vgg-bn"] == std::pair<std::int64_t, std::int64_t>(552'362, 896));
    CHECK(counts["three-class-bn"] == std::pair<std::int64_t, std::int64_t>(289'443, 448));
    CHECK(counts["small-alexnet"] == std::pair<std::int64_t, std::int64_t>(528'054, 0));
    CHECK(counts["conv32-64-64"] == std::pair<std::int64_t, std::int64_t>(122'570, 0));
}

// A row of an older store has the text alone: what is read from it must be what is stored today.
TEST_CASE("the design read from a stored configuration is the one that is planned",
          "[experiments]") {
    for (const char* file : {"tutorials.toml", "quickstart.toml", "cluster.toml", "smoke.toml"}) {
        for (const auto& planned : plan_of(file).runs) {
            CAPTURE(planned.id);
            storage::RunRow row;
            row.effective_config = pipeline::effective_toml(planned.effective, "an experiment");
            CHECK(reports::design_of(row).settings == pipeline::design_digest(planned.effective));
            row.name = planned.run.config.name;
            row.seed = static_cast<std::int64_t>(planned.run.config.train.seed);
            CHECK(reports::design_name_of(row) == planned.run.design_name);
        }
    }
}

TEST_CASE("the five tutorials train as their texts do", "[experiments]") {
    const pipeline::Plan plan = plan_of("tutorials.toml");
    const auto& conv10 = plan.runs.at(0);
    CHECK(conv10.run.config.data.scale == trainer::Scale::raw);
    CHECK(conv10.run.config.train.epochs == 10);
    CHECK(conv10.validates_on_test_set);
    CHECK_FALSE(conv10.selects_on_test_set);
    CHECK(conv10.warnings.empty());

    const auto& vgg = plan.runs.at(1);
    CHECK(vgg.run.config.train.epochs == 12);
    CHECK(vgg.estimate.validation_samples == 0);

    const auto& three = plan.runs.at(2);
    CHECK(three.run.config.train.batch_size == 128);
    CHECK(three.run.config.train.early_stopping->patience == 3);
    CHECK(three.run.config.train.checkpoint->monitor.metric == "val_accuracy");
    CHECK(three.estimate.training_samples == 15'000);
    CHECK(three.selects_on_test_set);

    const auto& alexnet = plan.runs.at(3);
    CHECK(alexnet.run.config.train.epochs == 100);
    CHECK(alexnet.estimate.training_samples == 45'000);
    CHECK(alexnet.run.config.train.checkpoint->monitor.metric == "val_loss");
    CHECK(alexnet.run.config.train.checkpoint->restore_best_weights);
    CHECK_FALSE(alexnet.validates_on_test_set);

    const auto& conv32 = plan.runs.at(4);
    CHECK(conv32.run.config.train.epochs == 10);
    CHECK(conv32.validates_on_test_set);
}

TEST_CASE("every example reads without problems, on either data set", "[experiments]") {
    std::map<std::string, std::size_t> runs{
        {"tutorials.toml", 5},     {"quickstart.toml", 5}, {"cluster.toml", 12},
        {"smoke.toml", 4},         {"resnet20.toml", 1},   {"mobilenet.toml", 3},
        {"fashion-mnist.toml", 5}, {"cifar10-94.toml", 1},
    };
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
        if (entry.path().extension() != ".toml") continue;
        ++files;
        const std::string name = entry.path().filename().string();
        CAPTURE(name);
        CHECK(plan_of(name).runs.size() == runs[name]);
        if (name == "fashion-mnist.toml") continue;  // other classes, and images of another size
        CHECK(plan_of(name, {"data.dataset=\"synthetic\""}).runs.size() == runs[name]);
    }
    CHECK(files == runs.size());
}

TEST_CASE("the networks on Fashion-MNIST have the parameters they expect", "[experiments]") {
    for (const auto& run : plan_of("fashion-mnist.toml").runs) {
        CAPTURE(run.run.config.name);
        CHECK(run.warnings.empty());
        CHECK(run.run.architecture.input == trainer::Shape{28, 28, 1, false});
        REQUIRE(run.run.expect.size() == 1);
        CHECK(run.run.expect[0].values == std::vector{static_cast<double>(run.parameters)});
    }
}

TEST_CASE("the recipe to 94 % has the parameters of its original", "[experiments]") {
    const auto plan = plan_of("cifar10-94.toml");
    const auto& run = plan.runs.at(0);
    // By the widths 24, 64, 256, 256: kernels, a bias, betas; then moving statistics.
    constexpr std::int64_t kTrained = 2 * 2 * 3 * 24 + 24 + 9 * (24 * 64 + 64 * 64) + 2 * 64 +
                                      9 * (64 * 256 + 256 * 256) + 2 * 256 +
                                      9 * (256 * 256 + 256 * 256) + 2 * 256 + 256 * 10;
    CHECK(run.run.architecture.trainable_count() == kTrained);
    CHECK(run.parameters == kTrained + 2 * (2 * 64 + 2 * 256 + 2 * 256));
    REQUIRE(run.run.expect.size() == 1);
    CHECK(run.run.expect[0].values == std::vector{static_cast<double>(run.parameters)});
    CHECK(run.warnings.empty());
}

TEST_CASE("no example but tutorial 002 chooses by the test set", "[experiments]") {
    for (const char* name :
         {"quickstart.toml", "cluster.toml", "resnet20.toml", "mobilenet.toml"}) {
        for (const auto& run : plan_of(name).runs) CHECK(run.warnings.empty());
    }
}

TEST_CASE("no example has settings that change nothing on CIFAR-10", "[experiments]") {
    for (const char* name :
         {"tutorials.toml", "quickstart.toml", "cluster.toml", "resnet20.toml", "mobilenet.toml"}) {
        CAPTURE(name);
        CHECK(plan_of(name).notes.empty());
    }
}

TEST_CASE("every key that is known is explained under its heading", "[experiments]") {
    const std::string page = text_of("README.md");
    REQUIRE(pipeline::known_keys().size() > 10);
    for (const auto& known : pipeline::known_keys()) {
        const std::string text = section(page, known.table);
        CAPTURE(known.table);
        CHECK_FALSE(text.empty());
        for (const std::string& key : known.keys) {
            CAPTURE(key);
            CHECK(contains(text, "`" + key + "`"));
        }
    }
}
