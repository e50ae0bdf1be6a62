// What a right file means.
#include "pipeline/experiment/spec_reader.hpp"

#include <filesystem>
#include <limits>
#include <variant>

#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep;
using namespace lockstep::tests;

TEST_CASE("what is not written is Keras' default", "[spec]") {
    const auto run = read(kHead + run_text()).runs.at(0);
    CHECK(run.config.train.batch_size == 32);
    CHECK(run.config.train.epochs == 1);
    CHECK(run.config.train.shuffle);
    CHECK(run.config.train.optimizer.learning_rate == 1e-3);
    CHECK(std::get<trainer::AdamConfig>(run.config.train.optimizer.rule).epsilon == 1e-7);
    CHECK(std::holds_alternative<trainer::NoValidation>(run.config.data.validation));
    CHECK_FALSE(run.config.train.early_stopping);
    CHECK_FALSE(run.config.train.checkpoint);
    CHECK(run.config.parallel.shards == 8);
    CHECK_FALSE(run.config.parallel.ranks_per_run);
    CHECK(run.class_names.size() == 10);
    CHECK(run.architecture.parameter_count() == 3072 * 10 + 10);
}

TEST_CASE("every layer is read with Keras' words, sizes and automatic names", "[spec]") {
    const auto run = read(std::string(kHead) + R"([[run]]
name = "a"
layers = [
  { type = "conv2d", filters = 4, kernel_size = [3, 5], strides = 2, padding = "same", activation = "relu", use_bias = false, kernel_initializer = "he_normal" },
  { type = "conv2d", filters = 5, kernel_size = 1 },
  { type = "max_pooling2d", pool_size = 3 },
  { type = "average_pooling2d", pool_size = 2, strides = 1, padding = "same" },
  { type = "batch_normalization", momentum = 0.9, epsilon = 1e-5 },
  { type = "dropout", name = "drop", rate = 0.25 },
  { type = "flatten" },
  { type = "dense", units = 6, activation = "relu" },
  { type = "dense", units = 10 },
  { type = "activation", activation = "softmax" },
])")
                         .runs.at(0);
    const auto& layers = run.config.layers;
    REQUIRE(layers.size() == 10);
    const auto& conv = std::get<trainer::Conv2dConfig>(layers[0].kind);
    CHECK(conv.kernel_size == std::array{3, 5});
    CHECK(conv.strides == std::array{2, 2});
    CHECK(conv.padding == trainer::Padding::same);
    CHECK(conv.activation == trainer::Activation::relu);
    CHECK_FALSE(conv.use_bias);
    CHECK(conv.kernel_initializer == trainer::Initializer::he_normal);
    CHECK(std::get<trainer::PoolingConfig>(layers[2].kind).strides == std::array{3, 3});
    CHECK(std::get<trainer::PoolingConfig>(layers[3].kind).kind == trainer::PoolingKind::average);
    CHECK(std::get<trainer::BatchNormalizationConfig>(layers[4].kind).epsilon == 1e-5);
    CHECK(std::get<trainer::DropoutConfig>(layers[5].kind).rate == 0.25);
    std::vector<std::string> names;
    for (const auto& layer : layers) names.push_back(layer.name);
    CHECK(names == std::vector<std::string>{"conv2d", "conv2d_1", "max_pooling2d",
                                            "average_pooling2d", "batch_normalization", "drop",
                                            "flatten", "dense", "dense_1", "activation"});
}

TEST_CASE("a run inherits the top-level tables key by key", "[spec]") {
    const auto spec = read(
        std::string(kHead) + R"(
[data]
scale = "raw"
validation = { fraction = 0.2 }
[train]
batch_size = 64
epochs = 7
optimizer = { name = "adam", learning_rate = 0.01, beta_1 = 0.8 }
early_stopping = { monitor = "val_loss", mode = "max", patience = 4 }
[checkpoint]
monitor = "val_loss"
restore_best_weights = true
)" + run_text("same") +
        run_text("other", R"(
data = { validation = { first = 100 } }
checkpoint = { monitor = "val_accuracy" }
[run.train]
epochs = 2
optimizer = { learning_rate = 0.5 }
early_stopping = { monitor = "loss" }
)") +
        run_text(
            "new",
            "train = { optimizer = \"sgd\", early_stopping = \"none\" }\ncheckpoint = \"none\"\n"));

    const auto& same = spec.runs.at(0).config;
    CHECK(same.data.scale == trainer::Scale::raw);
    CHECK(same.train.batch_size == 64);
    CHECK(same.train.early_stopping->monitor.mode == trainer::MonitorMode::max);
    CHECK(same.train.checkpoint->restore_best_weights);

    const auto& other = spec.runs.at(1).config;
    CHECK(other.data.scale == trainer::Scale::raw);
    CHECK(std::get<trainer::FirstValidation>(other.data.validation).count == 100);
    CHECK(other.train.batch_size == 64);
    CHECK(other.train.epochs == 2);
    CHECK(other.train.optimizer.learning_rate == 0.5);
    CHECK(std::get<trainer::AdamConfig>(other.train.optimizer.rule).beta_1 == 0.8);
    CHECK(other.train.early_stopping->patience == 4);
    CHECK(other.train.early_stopping->monitor.metric == "loss");
    CHECK(other.train.early_stopping->monitor.mode == trainer::MonitorMode::min);  // not "max"
    CHECK(other.train.checkpoint->monitor.metric == "val_accuracy");
    CHECK(other.train.checkpoint->restore_best_weights);

    const auto& fresh = spec.runs.at(2).config;  // another optimizer replaces the whole table
    CHECK(std::holds_alternative<trainer::SgdConfig>(fresh.train.optimizer.rule));
    CHECK(fresh.train.optimizer.learning_rate == 0.01);
    CHECK_FALSE(fresh.train.early_stopping);
    CHECK_FALSE(fresh.train.checkpoint);
}

TEST_CASE("schedules are read, and cosine spans all epochs by default", "[spec]") {
    const auto schedule = [](const std::string& text) {
        return read(kHead + run_text("a", "train = { epochs = 9, schedule = " + text + " }\n"))
            .runs.at(0)
            .config.train.schedule;
    };
    CHECK(std::holds_alternative<trainer::ConstantSchedule>(schedule("\"constant\"").shape));
    CHECK(schedule("{ warmup_epochs = 0.5 }").warmup_epochs == 0.5);
    CHECK(std::get<trainer::StepSchedule>(schedule("{ name = \"step\", every_epochs = 3 }").shape)
              .every_epochs == 3);
    CHECK(std::get<trainer::ExponentialSchedule>(schedule("\"exponential\"").shape).factor == 0.9);
    const auto cosine = std::get<trainer::CosineSchedule>(
        schedule("{ name = \"cosine\", final_factor = 0.1 }").shape);
    CHECK(cosine.over_epochs == 9);
    CHECK(cosine.final_factor == 0.1);
    const auto pieces = std::get<trainer::PiecewiseSchedule>(
        schedule("{ name = \"piecewise\", epochs = [3, 4.5], factors = [0.1, 0.01] }").shape);
    CHECK(pieces.epochs == std::vector{3.0, 4.5});
    CHECK(pieces.factors == std::vector{0.1, 0.01});
    const auto cycle = std::get<trainer::OneCycleSchedule>(
        schedule("{ name = \"one_cycle\", peak_at = 0.25 }").shape);
    CHECK(cycle.over_epochs == 9);
    CHECK(cycle.start_factor == 0.04);
    CHECK(cycle.peak_at == 0.25);
    CHECK(cycle.final_factor == 0.0);
    const auto plateau = std::get<trainer::PlateauSchedule>(
        schedule("{ name = \"reduce_on_plateau\", monitor = \"accuracy\", cooldown = 2 }").shape);
    CHECK(plateau.monitor.mode == trainer::MonitorMode::max);
    CHECK(plateau.monitor.min_delta == 1e-4);
    CHECK(plateau.factor == 0.1);
    CHECK(plateau.patience == 10);
    CHECK(plateau.cooldown == 2);
    CHECK(plateau.min_learning_rate == 0.0);
}

TEST_CASE("a schedule that says too little, or what cannot be, is told", "[spec]") {
    const auto problem = [](const std::string& text) {
        return problem_in(kHead + run_text("a", "train = { schedule = " + text + " }\n"));
    };
    CHECK(contains(problem("\"piecewise\""), "a piecewise schedule needs epochs = [...]"));
    CHECK(contains(problem("{ name = \"piecewise\", epochs = [1], factors = 0.1 }"),
                   "factors must be a list of numbers, not 0.1"));
    CHECK(contains(problem("{ name = \"piecewise\", epochs = [1, 2], factors = [0.1] }"),
                   "here are 2 epochs and 1 factors"));
    CHECK(contains(problem("{ name = \"piecewise\", epochs = [2, 2], factors = [0.1, 1] }"),
                   "epochs must be ascending"));
    CHECK(contains(problem("{ name = \"piecewise\", epochs = [2], factors = [0] }"),
                   "factors must be a number above 0"));
    CHECK(contains(problem("\"reduce_on_plateau\""),
                   "monitor is \"val_loss\" by default, which needs validation"));
}

TEST_CASE("paths: the file's are relative to its folder, others to the current one", "[spec]") {
    const auto path_of = [](const std::string& data, const std::vector<std::string>& overrides,
                            const pipeline::Environment& environment) {
        const std::string text = kHead + run_text("a", "data = {" + data + "}\n");
        return pipeline::read_spec(text, "folder/exp.toml", {overrides, environment})
            .runs.at(0)
            .config.data.path;
    };
    const auto unset = [](const std::string&) { return std::optional<std::string>(); };
    const auto set = [](const std::string& name) {
        return name == "LOCKSTEP_DATA" || name == "HERE" ? std::optional<std::string>("/data/x")
                                                         : std::nullopt;
    };
    const std::filesystem::path here = std::filesystem::current_path();
    CHECK(path_of("path = \"sub/../cifar\"", {}, unset) == here / "folder/cifar");
    CHECK(path_of("path = \"/abs\"", {}, unset) == "/abs");
    CHECK(path_of("path = \"${HERE}/cifar\"", {}, set) == "/data/x/cifar");
    CHECK(path_of("path = \"/a\"", {"data.path=b"}, set) == here / "b");
    CHECK(path_of("", {}, set) == "/data/x");
    CHECK(path_of("", {}, unset) == here / "data");
}

TEST_CASE("the widest values are taken as they are", "[spec]") {
    const auto run =
        read(kHead + run_text("a", "train = { seed = 9223372036854775807, epochs = 1000000000 }\n"))
            .runs.at(0);
    CHECK(run.config.train.seed ==
          static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
    CHECK(run.config.train.epochs == 1'000'000'000);
    CHECK(read(kHead + run_text("a", "train = { epochs = 0 }\n")).runs.at(0).config.train.epochs ==
          0);
}

TEST_CASE("expected figures are numbers, or one number an epoch", "[spec]") {
    const auto run =
        read(kHead + run_text("a", "expect = { parameters = 30730, accuracy = [0.5, 1] }\n"))
            .runs.at(0);
    REQUIRE(run.expect.size() == 2);
    CHECK(run.expect[0].values == std::vector<double>{30730});
    CHECK_FALSE(run.expect[0].by_epoch);
    CHECK(run.expect[1].values == std::vector<double>{0.5, 1});
    CHECK(run.expect[1].by_epoch);
}

TEST_CASE("classes keep the order of the file", "[spec]") {
    const std::string three =
        "data = { classes = [\"ship\", \"cat\", \"dog\"] }\nlayers = [{ type = \"flatten\" }, { "
        "type = \"dense\", units = 3 }]\n";
    const auto run = read(std::string(kHead) + "[[run]]\nname = \"a\"\n" + three).runs.at(0);
    CHECK(run.class_names == std::vector<std::string>{"ship", "cat", "dog"});
    CHECK(to_string(run.architecture.output()) == "(None, 3)");
}
