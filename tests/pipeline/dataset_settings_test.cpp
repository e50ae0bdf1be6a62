// What data sets take for themselves of [data], as they declare it.
#include <set>
#include <string>

#include "pipeline/planning/effective_config.hpp"
#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"
#include "trainer/data/dataset_kind.hpp"

using namespace lockstep;
using namespace lockstep::tests;

namespace {

std::string with_data(const std::string& data) {
    return std::string(kHead) + "[data]\n" + data + "\n[[run]]\nname = \"a\"\n" + kLayers;
}

std::string with_classes(const std::string& data, int classes) {
    return std::string(kHead) + "[data]\n" + data +
           "\n[[run]]\nname = \"a\"\nlayers = [{ type = \"flatten\" }, { type = \"dense\", units "
           "= " +
           std::to_string(classes) + " }]\n";
}

// The lines of [data] that shape a run's id, but for classes, scale and validation.
std::string canonical_data(const std::string& text) {
    std::string lines;
    for (const auto& value : pipeline::effective_config(read(text).runs.at(0)).values) {
        if (!value.canonical.starts_with("data.")) continue;
        if (value.canonical.starts_with("data.classes")) break;
        lines += value.canonical + ";";
    }
    return lines;
}

}  // namespace

TEST_CASE("the words of data sets are different, and so are the keys of each", "[spec][data]") {
    std::set<std::string_view> words;
    for (const trainer::DatasetKind& kind : trainer::dataset_kinds()) {
        CAPTURE(std::string(kind.word));
        CHECK(words.insert(kind.word).second);
        std::set<std::string_view> keys;
        for (const auto& setting : kind.settings) CHECK(keys.insert(setting.key).second);
    }
    CHECK_THROWS_AS(trainer::dataset_kind("cifar11"), std::invalid_argument);
}

TEST_CASE("a run's id has the settings of its data set, and never a path", "[spec][data]") {
    CHECK(canonical_data(with_data("path = \"somewhere\"")) == "data.dataset=\"cifar10\";");
    CHECK(canonical_data(with_data("dataset = \"synthetic\"\nseed = 3")) ==
          "data.dataset=\"synthetic\";data.training_samples=10000;data.test_samples=2000;"
          "data.seed=3;");
    CHECK(canonical_data(with_data("dataset = \"fashion_mnist\"")) ==
          "data.dataset=\"fashion_mnist\";");
    CHECK(canonical_data(with_classes("dataset = \"cifar100\"", 100)) ==
          "data.dataset=\"cifar100\";data.label_mode=\"fine\";");
    CHECK(canonical_data(with_classes("dataset = \"cifar100\"\nlabel_mode = \"coarse\"", 20)) ==
          "data.dataset=\"cifar100\";data.label_mode=\"coarse\";");
}

TEST_CASE("wrong settings of data sets are told, whichever the run's is", "[spec][data]") {
    CHECK(contains(problem_in(with_data("dataset = \"cifar\"")),
                   "dataset must be one of \"cifar10\", \"cifar100\", \"mnist\""));
    for (const char* dataset : {"cifar10", "synthetic"}) {
        const std::string data = std::string("dataset = \"") + dataset + "\"\n";
        CHECK(contains(problem_in(with_data(data + "label_mode = \"medium\"")),
                       "label_mode must be one of \"fine\", \"coarse\", not \"medium\""));
        CHECK(contains(problem_in(with_data(data + "training_samples = 9")),
                       "training_samples must be a whole number from 10 to 10000000, not 9"));
    }
}

TEST_CASE("settings that only other data sets take are noted", "[spec][data]") {
    const auto notes = read(with_data("label_mode = \"coarse\"")).notes;
    REQUIRE(notes.size() == 1);
    CHECK(notes[0] ==
          "data.label_mode (exp.toml:4) changes nothing: dataset = \"cifar100\" alone takes it");
    CHECK(read(with_classes("dataset = \"cifar100\"\nlabel_mode = \"coarse\"", 20)).notes.empty());
}
