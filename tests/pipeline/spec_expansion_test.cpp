// Seeds, sweeps and --set: the runs a file stands for.
#include <string>
#include <variant>
#include <vector>

#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep;
using namespace lockstep::tests;

namespace {

using Names = std::vector<std::string>;

Names names_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
    Names names;
    for (const auto& run : read(text, overrides).runs) names.push_back(run.config.name);
    return names;
}

const std::string kSweep = "[sweep]\n\"train.batch_size\" = [32, 128]\n\"train.epochs\" = [1, 2]\n";

}  // namespace

TEST_CASE("each seed is a run, in order; one seed leaves the name alone", "[spec][expansion]") {
    const auto spec =
        read(kHead + run_text("a", "train = { seeds = [3, 1] }\n") +
             run_text("b", "train = { seeds = [7] }\n") + run_text("c", "train = { seed = 9 }\n"));
    REQUIRE(spec.runs.size() == 4);
    CHECK(spec.runs[0].config.name == "a-seed3");
    CHECK(spec.runs[0].base_name == "a");
    CHECK(spec.runs[0].config.train.seed == 3);
    CHECK(spec.runs[1].config.name == "a-seed1");
    CHECK(spec.runs[2].config.name == "b");
    CHECK(spec.runs[2].config.train.seed == 7);
    CHECK(spec.runs[3].config.train.seed == 9);
}

TEST_CASE("a run's seed replaces inherited seeds, and the other way round", "[spec][expansion]") {
    const std::string text = std::string(kHead) + "[train]\nseeds = [1, 2]\n" + run_text("a") +
                             run_text("b", "train = { seed = 5 }\n");
    CHECK(names_of(text) == Names{"a-seed1", "a-seed2", "b"});
    CHECK(names_of(text, {"train.seed=4"}) == Names{"a", "b"});
    CHECK(names_of(text, {"train.seeds=[8, 9]"}) ==
          Names{"a-seed8", "a-seed9", "b-seed8", "b-seed9"});
}

TEST_CASE("bad seeds are refused", "[spec][expansion]") {
    for (const char* seeds : {"[]", "3", "[1, 1]", "[-1]", "[\"1\"]", "[1.5]"}) {
        CAPTURE(seeds);
        CHECK(contains(
            problem_in(kHead + run_text("a", std::string("train = { seeds = ") + seeds + " }\n")),
            "seeds must be a list of different whole numbers"));
    }
    CHECK(contains(problem_in(kHead + run_text("a", "train = { seed = 1, seeds = [2] }\n")),
                   "not both"));
}

TEST_CASE("a sweep makes every combination, the first key slowest", "[spec][expansion]") {
    const auto spec = read(kHead + kSweep + run_text("a", "train = { epochs = 9 }\n"));
    REQUIRE(spec.runs.size() == 4);
    CHECK(spec.runs[0].config.name == "a-batch_size32-epochs1");
    CHECK(spec.runs[1].config.name == "a-batch_size32-epochs2");
    CHECK(spec.runs[2].config.name == "a-batch_size128-epochs1");
    CHECK(spec.runs[2].config.train.batch_size == 128);
    CHECK(spec.runs[2].config.train.epochs == 1);  // not the run's own 9
    CHECK(spec.runs[2].origins.at("train.batch_size") == "sweep (exp.toml:4)");
}

TEST_CASE("a sweep multiplies with seeds, and names texts and tables sensibly",
          "[spec][expansion]") {
    CHECK(names_of(std::string(kHead) + "[sweep]\n\"train.optimizer\" = [\"sgd\", \"adam\"]\n" +
                   run_text("a", "train = { seeds = [1, 2] }\n")) ==
          Names{"a-optimizersgd-seed1", "a-optimizersgd-seed2", "a-optimizeradam-seed1",
                "a-optimizeradam-seed2"});
    CHECK(names_of(std::string(kHead) +
                   "[sweep]\ntrain.schedule = [{ name = \"step\" }, { warmup_epochs = 1 }]\n" +
                   run_text()) == Names{"a-schedulestep", "a-schedule2"});
    CHECK(names_of(std::string(kHead) +
                   "[sweep]\n\"train.optimizer.learning_rate\" = [0.001, 1]\n" + run_text()) ==
          Names{"a-learning_rate0.001", "a-learning_rate1"});
}

TEST_CASE("what cannot be swept is refused", "[spec][expansion]") {
    const auto problem_of = [](const std::string& line) {
        return problem_in(std::string(kHead) + "[sweep]\n" + line + "\n" + run_text());
    };
    CHECK(contains(problem_of("\"train.batchsize\" = [1, 2]"),
                   "unknown key \"batchsize\"; did you mean \"batch_size\"?"));
    CHECK(contains(problem_of("\"layers.dense.type\" = [\"flatten\"]"), "cannot sweep"));
    CHECK(contains(problem_of("\"layers.dense_7.units\" = [1]"),
                   "layers.dense_7.units: in run a there is no layer \"dense_7\""));
    CHECK(contains(problem_of("\"train.epochs\" = 3"), "must be a list of values"));
    CHECK(contains(problem_of("\"train.epochs\" = []"), "must be a list of values"));
    CHECK(contains(problem_of("\"train.epochs\" = [1, 1]"), "\"train.epochs\" lists 1 twice"));
    CHECK(contains(problem_of("\"train.optimizer\" = [{ name = \"sgd\" }, { name = \"sgd\" }]"),
                   "\"train.optimizer\" lists one value twice"));
    CHECK(contains(problem_of("\"train.epochs\" = [1, 2]\ntrain.epochs = [3, 4]"),
                   "\"train.epochs\" is swept twice"));
    CHECK(contains(problem_of("\"train.epochs\" = [0, -1]"), "epochs must be"));
}

TEST_CASE("--set wins over the file, the run and the sweep", "[spec][expansion]") {
    const std::string text =
        kHead + kSweep + run_text("a", "train = { shuffle = false }\n") + run_text("b.c");
    CHECK(names_of(text, {"train.epochs=5"}) ==
          Names{"a-batch_size32", "a-batch_size128", "b.c-batch_size32", "b.c-batch_size128"});
    const auto spec =
        read(text, {"train.epochs=5", "train.shuffle=true", "run.b.c.train.epochs = 6",
                    "train.optimizer=sgd", "parallel={ shards = 4 }", "sweep.train.batch_size=[16]",
                    "experiment.title=\"again\"", "run.a.title='x y'"});
    REQUIRE(spec.runs.size() == 2);
    CHECK(spec.title == "again");
    CHECK(spec.runs[0].config.name == "a-batch_size16");
    CHECK(spec.runs[0].title == "x y");
    CHECK(spec.runs[0].config.train.shuffle);
    CHECK(spec.runs[0].config.train.epochs == 5);
    CHECK(spec.runs[0].origins.at("train.epochs") == "--set");
    CHECK(spec.runs[1].config.train.epochs == 6);
    CHECK(spec.runs[1].config.parallel.shards == 4);
    CHECK(std::holds_alternative<trainer::SgdConfig>(spec.runs[1].config.train.optimizer.rule));
}

TEST_CASE("a wrong --set is refused as in the file", "[spec][expansion]") {
    const auto problem_of = [](const std::string& text) {
        return problem_in(kHead + run_text("net"), {text});
    };
    CHECK(problem_of("train.epoch=3") ==
          "--set train.epoch=3: unknown key \"epoch\"; did you mean \"epochs\"?");
    CHECK(contains(problem_of("trian.epochs=3"), "unknown key \"trian\"; did you mean \"train\"?"));
    CHECK(contains(problem_of("epochs=3"), "--set epochs=3: unknown key"));
    CHECK(contains(problem_of("train.epochs=ten"), "not the text \"ten\""));
    CHECK(contains(problem_of("train.epochs"), "must be KEY=VALUE"));
    CHECK(contains(problem_of("train.epochs="), "--set train.epochs=: "));
    CHECK(contains(problem_of("train.epochs=[1"), "--set train.epochs=[1: "));
    CHECK(contains(problem_of("train.epochs=1\nseed=2"), "one value is expected"));
    CHECK(contains(problem_of("train.optimizer.learning_rate=nan"), "nan and inf"));
    CHECK(contains(problem_of("run.nte.train.epochs=1"),
                   "no run named \"nte\"; did you mean \"net\"?"));
    CHECK(contains(problem_of("experiment.nam=x"), "did you mean \"name\""));
    CHECK(contains(problem_of("train=3"), "name a key in train"));
}

TEST_CASE("settings of layers are set and swept by the layers' names", "[spec][expansion]") {
    const std::string layers =
        "[[run]]\nname = \"a\"\nlayers = [{ type = \"flatten\" }, { type = \"dense\", units = 7 }, "
        "{ type = \"dense\", units = 8, name = \"wide.one\" }, { type = \"dense\", units = 10 }]\n";
    const auto units = [](const pipeline::RunSpec& run, std::size_t layer) {
        return std::get<trainer::DenseConfig>(run.config.layers.at(layer).kind).units;
    };
    const auto set = read(kHead + layers, {"layers.dense.units=5", "layers.wide.one.units=6"});
    CHECK(units(set.runs.at(0), 1) == 5);
    CHECK(units(set.runs.at(0), 2) == 6);
    CHECK(units(set.runs.at(0), 3) == 10);
    CHECK(set.runs.at(0).origins.at("layers.1.units") == "--set");

    const auto swept =
        read(kHead + std::string("[sweep]\n\"layers.dense.units\" = [3, 4]\n") + layers);
    REQUIRE(swept.runs.size() == 2);
    CHECK(swept.runs[0].config.name == "a-units3");
    CHECK(units(swept.runs[0], 1) == 3);
    CHECK(units(swept.runs[1], 1) == 4);
    CHECK(units(swept.runs[1], 2) == 8);
    // `dense_1` is the second layer without a name of its own.
    CHECK(problems_in(kHead + layers, {"layers.dense_1.units=10"}).empty());
    CHECK(contains(problem_in(kHead + layers, {"layers.dense_2.units=10"}),
                   "in run a there is no layer \"dense_2\"; did you mean \"dense_1\"?"));
    CHECK(contains(problem_in(kHead + layers, {"layers.dense.filters=1"}), "unknown key"));
    CHECK(contains(problem_in(kHead + layers, {"layers.dense.type=flatten"}), "type or name"));
    CHECK(contains(problem_in(kHead + layers, {"layers=3"}), "layers.NAME.KEY=VALUE"));
}

TEST_CASE("a --set of one run's layer leaves the others alone", "[spec][expansion]") {
    const auto spec =
        read(kHead + run_text("a") + run_text("b"), {"run.b.layers.dense.activation=softmax"});
    const auto activation = [&](std::size_t run) {
        return std::get<trainer::DenseConfig>(spec.runs.at(run).config.layers.at(1).kind)
            .activation;
    };
    CHECK(activation(0) == trainer::Activation::linear);
    CHECK(activation(1) == trainer::Activation::softmax);
}
