// The name of a run tells the values that it uses, and no others.
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "pipeline/planning/plan.hpp"
#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep;
using namespace lockstep::tests;

namespace {

using Names = std::vector<std::string>;

std::string swept(const std::string& lines, const std::string& run = run_text()) {
    return std::string(kHead) + "[sweep]\n" + lines + "\n" + run;
}

Names names_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
    Names names;
    for (const auto& run : read(text, overrides).runs) names.push_back(run.config.name);
    return names;
}

Names notes_of(const std::string& text, const std::vector<std::string>& overrides) {
    return read(text, overrides).notes;
}

std::string plan_problem(const std::string& text) {
    try {
        pipeline::plan(read(text));
        return {};
    } catch (const pipeline::SpecError& error) {
        return error.what();
    }
}

const std::string kRates = swept("\"train.optimizer.learning_rate\" = [0.1, 0.5]");

}  // namespace

TEST_CASE("a --set that replaces a swept key ends its sweep, in words", "[spec][names]") {
    for (const char* setting :
         {"train.optimizer=sgd", "train.optimizer={ name = \"sgd\", learning_rate = 3 }",
          "train={ optimizer = \"sgd\" }", "train.optimizer.name=sgd",
          "train.optimizer.learning_rate=3", "run.a.train.optimizer=sgd"}) {
        CAPTURE(setting);
        CHECK(names_of(kRates, {setting}) == Names{"a"});
        const Names notes = notes_of(kRates, {setting});
        REQUIRE(notes.size() == 1);
        CHECK(contains(notes[0], "replaces the swept train.optimizer.learning_rate"));
    }
    const std::string modes = swept("\"checkpoint.mode\" = [\"min\", \"max\"]",
                                    run_text("a", "checkpoint = { monitor = \"loss\" }\n"));
    CHECK(names_of(modes, {"checkpoint.monitor=accuracy"}) == Names{"a"});
    CHECK(names_of(swept("\"train.seed\" = [1, 2]"), {"train.seeds=[8, 9]"}) ==
          Names{"a-seed8", "a-seed9"});
}

TEST_CASE("a --set beside a swept key leaves its sweep alone", "[spec][names]") {
    const Names both{"a-learning_rate0.1", "a-learning_rate0.5"};
    for (const char* setting : {"train.optimizer=adam", "train.optimizer.beta_1=0.5",
                                "train={ epochs = 2 }", "train.optimizer={ beta_1 = 0.5 }"}) {
        CAPTURE(setting);
        const auto spec = read(kRates, {setting});
        CHECK(names_of(kRates, {setting}) == both);
        CHECK(spec.notes.empty());
        CHECK(spec.runs.back().config.train.optimizer.learning_rate == 0.5);
    }
    const std::string kinds =
        swept("\"train.optimizer\" = [{ name = \"sgd\" }, { name = \"adam\" }]");
    CHECK(names_of(kinds, {"train.optimizer.learning_rate=0.5"}) ==
          Names{"a-optimizersgd", "a-optimizeradam"});
}

TEST_CASE("outer swept keys are laid before inner ones, whatever their order", "[spec][names]") {
    const std::string rate = "\"train.optimizer.learning_rate\" = [0.1, 0.5]\n";
    const std::string kind = "\"train.optimizer\" = [\"sgd\", \"adam\"]\n";
    const std::string name = "\"train.optimizer.name\" = [\"sgd\", \"adam\"]\n";
    for (const std::string& lines : {rate + kind, kind + rate, rate + name, name + rate}) {
        CAPTURE(lines);
        const auto spec = read(swept(lines));
        REQUIRE(spec.runs.size() == 4);
        for (const auto& run : spec.runs) {
            const auto& optimizer = run.config.train.optimizer;
            const bool is_sgd = std::holds_alternative<trainer::SgdConfig>(optimizer.rule);
            CHECK(contains(run.config.name, is_sgd ? "sgd" : "adam"));
            CHECK(contains(run.config.name, optimizer.learning_rate == 0.1 ? "0.1" : "0.5"));
        }
    }
}

TEST_CASE("swept keys that replace one another are refused", "[spec][names]") {
    CHECK(contains(problem_in(swept("\"train.early_stopping\" = [\"none\"]\n"
                                    "\"train.early_stopping.monitor\" = [\"loss\", \"accuracy\"]")),
                   "run a-early_stoppingnone-monitorloss would be called after a value of "
                   "train.early_stopping that it does not use"));
    CHECK(contains(problem_in(swept("\"train.optimizer\" = [\"sgd\", \"adam\"]\n"
                                    "\"train.optimizer.name\" = [\"adam\", \"sgd\"]")),
                   "would be called after a value of train.optimizer that it does not use"));
}

TEST_CASE("runs that would train the same under two names are refused", "[spec][names]") {
    CHECK(contains(plan_problem(kHead + run_text("a") + run_text("b")),
                   "exp.toml:6:1: the runs a and b would train the same: all their settings are "
                   "equal; drop one of them, or give it another seed"));
    CHECK(contains(plan_problem(swept("\"train.record_steps\" = [true, false]")),
                   "the runs a-record_stepstrue and a-record_stepsfalse would train the same: they "
                   "differ in train.record_steps alone"));
    CHECK(contains(
        plan_problem(swept("\"train.optimizer\" = [{ name = \"adam\" }, { beta_1 = 0.9 }]")),
        "the runs a-optimizeradam and a-optimizer2"));
    CHECK(plan_problem(swept("\"data.path\" = [\"one\", \"two\"]")).empty());  // two data sets
    CHECK(plan_problem(kHead + run_text("a") + run_text("b", "train.seed = 2\n")).empty());
}

TEST_CASE("keys that end in one word are told apart by the word before", "[spec][names]") {
    CHECK(names_of(swept("\"data.seed\" = [1]\n\"train.seed\" = [2]")) ==
          Names{"a-data_seed1-train_seed2"});
    CHECK(names_of(swept("\"data.seed\" = [5]", run_text("a", "train.seeds = [1, 2]\n"))) ==
          Names{"a-data_seed5-seed1", "a-data_seed5-seed2"});
    CHECK(names_of(swept("\"data.seed\" = [5]")) == Names{"a-seed5"});  // as ever
    CHECK(names_of(swept("\"train.seed\" = [5]")) == Names{"a-seed5"});
    CHECK(names_of(swept("\"train.optimizer.name\" = [\"sgd\"]\n\"train.schedule.name\" = "
                         "[\"step\"]\n\"train.epochs\" = [1]")) ==
          Names{"a-optimizer_namesgd-schedule_namestep-epochs1"});
}

TEST_CASE("values that would be called the same are numbered", "[spec][names]") {
    CHECK(names_of(swept("\"train.optimizer\" = [{ name = \"sgd\" }, { name = \"sgd\", momentum = "
                         "0.9 }, { name = \"adam\" }]")) ==
          Names{"a-optimizersgd_1", "a-optimizersgd_2", "a-optimizeradam"});
}

TEST_CASE("a name of more than 64 letters is shortened, at whole parts", "[spec][names]") {
    const std::string lines =
        "\"train.batch_size\" = [32, 128]\n\"train.optimizer.learning_rate\" = [0.001, 0.01]\n"
        "\"train.optimizer.beta_1\" = [0.8, 0.9]\n\"train.schedule.warmup_epochs\" = [1, 2]";
    const Names names =
        names_of(swept(lines, run_text("three-class-bn", "train.seeds = [1, 22]\n")));
    REQUIRE(names.size() == 32);
    CHECK(std::set<std::string>(names.begin(), names.end()).size() == 32);
    for (const std::string& name : names) {
        CAPTURE(name);
        CHECK(name.size() <= 64);
        CHECK(name.starts_with("three-class-bn-batch_size"));
    }
    CHECK(names[0] == "three-class-bn-batch_size32-learning_rate0.001-b03d6999-seed1");
    // The name of a run depends on nothing but the run.
    CHECK(names_of(swept(lines, run_text("three-class-bn", "train.seeds = [1, 22]\n")),
                   {"sweep.train.batch_size=[32]"})[0] == names[0]);
}

TEST_CASE("a long name of a run's own leaves room for what is added", "[spec][names]") {
    const std::string base(64, 'x');
    const Names names =
        names_of(kHead + run_text(base, "train.seeds = [1, 9223372036854775807]\n"));
    REQUIRE(names.size() == 2);
    for (const std::string& name : names) CHECK(name.size() == 64);
    CHECK(names[1].ends_with("-seed9223372036854775807"));
    CHECK(names_of(kHead + run_text(base)) == Names{base});
    // 64 letters fit and stay as they are.
    const std::string fits(58, 'x');
    CHECK(names_of(kHead + run_text(fits, "train.seeds = [1, 2]\n")) ==
          Names{fits + "-seed1", fits + "-seed2"});
}
