#include "pipeline/planning/plan.hpp"

#include <string>
#include <variant>
#include <vector>

#include "pipeline/planning/plan_warnings.hpp"
#include "pipeline/planning/swept_settings.hpp"
#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep;
using namespace lockstep::tests;

namespace {

pipeline::PlannedRun planned(const std::string& lines,
                             const std::vector<std::string>& overrides = {}, int ranks = 1) {
    return pipeline::plan(read(kHead + run_text("a", lines), overrides), ranks).runs.at(0);
}

bool warns(const pipeline::PlannedRun& run, const std::string& part) {
    for (const std::string& warning : run.warnings) {
        if (contains(warning, part)) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("steps follow from samples, batch and validation", "[plan]") {
    const auto all = planned("").estimate;
    CHECK(all.training_samples == 50'000);
    CHECK(all.validation_samples == 0);
    CHECK(all.steps_per_epoch == 1563);  // 1562 full batches of 32, and one of 16

    const auto cut =
        planned("train = { epochs = 100 }\ndata = { validation = { first = 5000 } }\n").estimate;
    CHECK(cut.training_samples == 45'000);
    CHECK(cut.validation_samples == 5'000);
    CHECK(cut.steps_per_epoch == 1407);
    CHECK(cut.steps == 140'700);

    CHECK(planned("data = { validation = \"test\" }\n").estimate.validation_samples == 10'000);
    CHECK(planned("data = { validation = { fraction = 0.1 } }\n").estimate.training_samples ==
          45'000);
    CHECK(planned("", {"train.steps_per_epoch=10"}).estimate.steps_per_epoch == 10);
    CHECK(planned("", {"train.steps_per_epoch=99999"}).estimate.steps_per_epoch == 1563);
    CHECK(planned("", {"train.batch_size=50000"}).estimate.steps_per_epoch == 1);
}

TEST_CASE("three of ten classes have three tenths of the samples", "[plan]") {
    const auto run = pipeline::plan(read(std::string(kHead) + R"([[run]]
name = "a"
data = { classes = ["airplane", "automobile", "bird"], validation = "test" }
train = { batch_size = 128 }
layers = [{ type = "flatten" }, { type = "dense", units = 3 }]
)"))
                         .runs.at(0);
    CHECK(run.estimate.training_samples == 15'000);
    CHECK(run.estimate.test_samples == 3'000);
    CHECK(run.estimate.steps_per_epoch == 118);
    CHECK(run.parameters == 3 * 3073);
    CHECK(run.validates_on_test_set);
    CHECK_FALSE(run.selects_on_test_set);
}

TEST_CASE("operations of a training: three forward passes a trained image, one an evaluated",
          "[plan]") {
    const auto run =
        planned("", {"train.epochs=2", "data.validation=test", "train.steps_per_epoch=10"});
    const double images = 2.0 * (3 * 320 + 10'000) + 10'000;
    CHECK(run.estimate.training_flops == Approx(images * (2 * 3072 * 10 + 10)));
}

TEST_CASE("more ranks need less memory each, down to one shard and their share of the data",
          "[plan]") {
    const auto memory = [](int ranks) { return planned("", {}, ranks).estimate.memory_per_rank; };
    CHECK(memory(1) > memory(2));
    CHECK(memory(2) > memory(8));
    CHECK(memory(8) == memory(9));
    CHECK(memory(8) > 60'000 * 3073 / 8);
    CHECK(planned("", {"parallel.ranks_per_run=2"}, 8).estimate.memory_per_rank == memory(2));
}

TEST_CASE("choosing by the test set is marked", "[plan]") {
    const std::string watch = "data = { validation = \"test\" }\n";
    CHECK(planned(watch, {"train.early_stopping={patience=3}"}).selects_on_test_set);
    CHECK(planned(watch, {"checkpoint={restore_best_weights=true}"}).selects_on_test_set);
    CHECK_FALSE(planned(watch, {"checkpoint={monitor=\"loss\"}"}).selects_on_test_set);
    CHECK_FALSE(planned("", {"train.early_stopping={patience=3}", "data.validation={first=10}"})
                    .selects_on_test_set);
    CHECK(warns(planned(watch, {"train.early_stopping={patience=3}"}), "test set"));
}

TEST_CASE("what is allowed but odd is a warning", "[plan]") {
    CHECK(planned("").warnings.empty());
    CHECK(warns(planned("", {"train.epochs=0"}), "epochs = 0"));
    CHECK(planned("", {"train.epochs=0"}).estimate.steps == 0);
    CHECK(warns(planned("", {"train.batch_size=50001"}), "more than the 50000 training samples"));
    CHECK(warns(planned("expect = { parameters = 5 }\n"), "has 30,730 parameters, not the 5"));
    const auto of_ten_steps = [](const std::string& keys) {
        return planned("", {"train.steps_per_epoch=5", "train.epochs=2",
                            "train.optimizer={ gradient_accumulation_steps = " + keys + " }"});
    };
    CHECK(of_ten_steps("10").warnings.empty());
    CHECK(warns(of_ten_steps("11"), "more than the 10 steps of the run"));
    CHECK(of_ten_steps("2, lookahead = { sync_period = 5 }").warnings.empty());
    CHECK(warns(of_ten_steps("2, lookahead = {}"), "6 of lookahead is more than the 5 updates"));
}

TEST_CASE("the plan as a table has a row a run", "[plan]") {
    const auto plan =
        pipeline::plan(read(kHead + run_text("a") + run_text("b", "train = { epochs = 0 }\n")));
    const storage::Table table = pipeline::plan_table(plan);
    REQUIRE(table.rows.size() == 2);
    CHECK(table.rows[0].size() == table.columns.size());
    CHECK(std::get<std::string>(table.rows[1][0]) == plan.runs[1].id);
    CHECK(contains(pipeline::plan_notes(plan), "note: " + plan.runs[1].id + " epochs = 0"));
}

TEST_CASE("initial weights that are not there are noted of a plan, not at a training's start",
          "[plan]") {
    const auto plan = pipeline::plan(read(
        std::string(kHead) + run_text("a", "train = { initial_weights = \"/nowhere.h5\" }\n")));
    CHECK(plan.runs.at(0).lacks_initial_weights);
    CHECK(contains(pipeline::plan_notes(plan), "cannot read the initial weights /nowhere.h5"));
    CHECK(plan_warnings(plan).empty());  // which ends with more words than these
    CHECK_FALSE(planned("").lacks_initial_weights);
}

TEST_CASE("an activation in an odd place is warned of", "[plan]") {
    const auto warnings_of = [](const std::string& layers) {
        const auto plan = pipeline::plan(
            read(std::string(kHead) + "[[run]]\nname = \"a\"\nlayers = [{ type = \"flatten\" }, " +
                 layers + "]\n"));
        return plan.runs.at(0).warnings;
    };
    const std::string relu = "{ type = \"dense\", units = 10, activation = \"relu\" }";
    const std::string softmax = "{ type = \"dense\", units = 10, activation = \"softmax\" }";
    CHECK(warnings_of(relu + ", " + softmax).empty());
    REQUIRE(warnings_of(softmax + ", " + relu).size() == 2);
    CHECK(contains(warnings_of(softmax + ", " + relu)[0],
                   "softmax inside the network (layer \"dense\")"));
    CHECK(contains(warnings_of(softmax + ", " + relu)[1], "ends in a relu (layer \"dense_1\")"));
    CHECK(warnings_of(softmax + ", { type = \"activation\", activation = \"relu\" }").size() == 2);
}

TEST_CASE("a muon that does less than its name says is warned of", "[plan]") {
    const auto warnings_of = [](const std::string& keys) {
        const auto plan = pipeline::plan(
            read(std::string(kHead) + "[train]\noptimizer = { name = \"muon\"" + keys +
                 " }\n[[run]]\nname = \"a\"\nlayers = [{ type = \"conv2d\", filters = 4, "
                 "kernel_size = 3 }, { type = \"depthwise_conv2d\", kernel_size = 3 }, "
                 "{ type = \"flatten\" }, { type = \"dense\", name = \"out\", units = 10 }]\n"));
        return plan.runs.at(0).warnings;
    };
    REQUIRE(warnings_of("").size() == 1);
    CHECK(contains(warnings_of("")[0], "leaves the kernels of 1 convolutions to AdamW"));
    CHECK(warnings_of(", exclude_convolutions = false").empty());
    CHECK(warnings_of(", exclude_convolutions = false, exclude_layers = \"out\"").empty());
    const auto none = warnings_of(", exclude_layers = [\"conv2d/\", \"out\", \"dense_1\"]");
    REQUIRE(none.size() == 2);
    CHECK(contains(none[0], "no weights of any layer are called \"dense_1\""));
    CHECK(contains(none[1], "no kernel takes muon"));
}

TEST_CASE("a plan's table tells what a sweep sets, beside names that have only a hash", "[plan]") {
    const std::string text = std::string(kHead) + run_text("a", "") +
                             run_text("b", "train = { shuffle = false }\n") +
                             "[sweep]\n\"train.optimizer.learning_rate\" = [0.1, 0.2]\n"
                             "\"train.batch_size\" = [32, 64]\n";
    const pipeline::Plan swept = pipeline::plan(read(text));
    REQUIRE(swept.runs.size() == 8);
    const storage::Table table = with_swept_settings(plan_table(swept), swept);
    CHECK(table.columns[1] == "learning_rate");
    CHECK(table.rows[0][1] == storage::Cell(0.1));
    CHECK(table.columns[2] == "seed");  // batch_size is a column of the table already
    const pipeline::Plan plain = pipeline::plan(read(std::string(kHead) + run_text("a", "")));
    CHECK(with_swept_settings(plan_table(plain), plain).columns == plan_table(plain).columns);
}

TEST_CASE("warnings of several runs are one line each for the start of a training", "[plan]") {
    const std::string relu =
        "layers = [{ type = \"flatten\" }, { type = \"dense\", units = 10, activation = "
        "\"relu\" }]\n";
    const std::string text = std::string(kHead) + "[[run]]\nname = \"a\"\n" + relu +
                             "[sweep]\n\"train.batch_size\" = [32, 64, 128]\n";
    const pipeline::Plan plan = pipeline::plan(read(text));
    REQUIRE(plan.runs.size() == 3);
    const std::vector<std::string> lines = plan_warnings(plan);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].starts_with(plan.runs[0].id + " (and 2 more) ends in a relu"));
}
