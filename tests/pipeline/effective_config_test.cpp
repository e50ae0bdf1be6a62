#include "pipeline/planning/effective_config.hpp"

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "pipeline/layers/layer_types.hpp"
#include "reports/figures/design.hpp"
#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace lockstep;
using namespace lockstep::tests;
using pipeline::EffectiveConfig;

namespace {

EffectiveConfig config_of(const std::string& lines, const std::vector<std::string>& overrides = {},
                          const std::string& name = "a") {
    return pipeline::effective_config(read(kHead + run_text(name, lines), overrides).runs.at(0));
}

std::string shown(const EffectiveConfig& config, const std::string& key) {
    const auto value = std::find_if(config.values.begin(), config.values.end(),
                                    [&](const auto& one) { return one.key == key; });
    return value == config.values.end() ? "absent" : value->value + " # " + value->origin;
}

}  // namespace

TEST_CASE("every value is listed with its origin", "[effective_config]") {
    const EffectiveConfig config =
        config_of("train = { optimizer = { learning_rate = 0.01 } }\n", {"train.epochs=3"});
    CHECK(shown(config, "train.epochs") == "3 # --set");
    CHECK(shown(config, "train.optimizer.learning_rate") == "0.01 # exp.toml:6");
    CHECK(shown(config, "train.optimizer.name") == "\"adam\" # default");
    CHECK(shown(config, "train.optimizer.epsilon") == "1e-07 # default");
    CHECK(shown(config, "layers.1.units") == "10 # exp.toml:5");
    CHECK(shown(config, "layers.1.use_bias") == "true # default");
    CHECK(shown(config, "parallel.ranks_per_run") == "\"all\" # default");
    CHECK(shown(config, "name") == "\"a\" # exp.toml:4");
}

TEST_CASE("what cannot change a result does not change the digest", "[effective_config]") {
    const std::string digest = config_of("").digest;
    CHECK(digest.size() == 64);
    CHECK(config_of("title = \"x\"\nsource = \"y\"\nexpect = { loss = 1 }\n").digest == digest);
    CHECK(config_of("", {"parallel.ranks_per_run=2"}).digest == digest);
    CHECK(config_of("", {"train.record_steps=true"}).digest == digest);
    CHECK(config_of("", {"checkpoint.every_minutes=5"}).digest == digest);
    CHECK(config_of("", {"checkpoint={ monitor = \"none\", every_minutes = 5 }"}).digest == digest);
    CHECK(config_of("", {"checkpoint.monitor=\"loss\""}).digest != digest);
    CHECK(config_of("", {"data.path=/elsewhere"}).digest == digest);
    CHECK(config_of("", {"train.epochs=1", "train.batch_size=32", "train.optimizer=adam"}).digest ==
          digest);
    CHECK(config_of("", {"train.schedule=constant", "checkpoint=none"}).digest == digest);
    CHECK(config_of("", {}, "b").digest == digest);
}

TEST_CASE("everything else changes it", "[effective_config]") {
    std::vector<std::string> digests{config_of("").digest};
    for (const char* override_text :
         {"train.seed=2",
          "train.epochs=2",
          "train.batch_size=33",
          "train.shuffle=false",
          "train.steps_per_epoch=5",
          "train.label_smoothing=0.1",
          "train.class_weights=balanced",
          "train.class_weights={ cat = 2 }",
          "train.class_weights={ dog = 2 }",
          "train.class_weights={ cat = 2, dog = 0 }",
          "train.optimizer={ global_clipnorm = 1.0 }",
          "train.optimizer={ use_ema = true }",
          "train.optimizer={ use_ema = true, ema_momentum = 0.9 }",
          "train.optimizer={ use_ema = true, ema_overwrite_frequency = 9 }",
          "train.optimizer={ lookahead = {} }",
          "train.optimizer={ lookahead = { sync_period = 5 } }",
          "train.optimizer={ lookahead = { slow_step_size = 0.25 } }",
          "train.optimizer={ lookahead = { power = 3 } }",
          "train.optimizer={ lookahead = { power = 3, over_epochs = 9.9 } }",
          "train.optimizer={ lookahead = { moving_statistics = true } }",
          "train.optimizer={ gradient_accumulation_steps = 2 }",
          "layers.dense.kernel_regularizer={ l2 = 0.1 }",
          "train.optimizer=sgd",
          "train.optimizer.beta_1=0.8",
          "layers.dense.learning_rate_factor=0.5",
          "layers.dense.bias_regularizer={ l2 = 0.1 }",
          "layers.dense.trainable_epochs={ bias = 3 }",
          "layers.dense.trainable_epochs={ bias = 0 }",
          "layers.dense.trainable_epochs={ kernel = 3 }",
          "train.optimizer.learning_rate_factors={ bias = 2 }",
          "train.optimizer.learning_rate_factors={ kernel = 2 }",
          "train.optimizer=lion",
          "train.optimizer=adagrad",
          "train.optimizer=nadam",
          "train.optimizer={ name = \"lion\", beta_2 = 0.9 }",
          "train.optimizer={ name = \"adagrad\", initial_accumulator_value = 0 }",
          "train.optimizer={ name = \"nadam\", epsilon = 1e-6 }",
          "train.optimizer=muon",
          "train.optimizer={ name = \"muon\", adam_beta_1 = 0.8 }",
          "train.optimizer={ name = \"muon\", adam_beta_2 = 0.9 }",
          "train.optimizer={ name = \"muon\", epsilon = 1e-6 }",
          "train.optimizer={ name = \"muon\", weight_decay = 0 }",
          "train.optimizer={ name = \"muon\", adam_weight_decay = 0 }",
          "train.optimizer={ name = \"muon\", exclude_from_weight_decay = \"bias\" }",
          "train.optimizer={ name = \"muon\", momentum = 0.9 }",
          "train.optimizer={ name = \"muon\", nesterov = false }",
          "train.optimizer={ name = \"muon\", ns_steps = 3 }",
          "train.optimizer={ name = \"muon\", muon_a = 3 }",
          "train.optimizer={ name = \"muon\", muon_b = -4 }",
          "train.optimizer={ name = \"muon\", muon_c = 2 }",
          "train.optimizer={ name = \"muon\", adam_lr_ratio = 0.5 }",
          "train.optimizer={ name = \"muon\", rms_rate = 0.3 }",
          "train.optimizer={ name = \"muon\", rms_rate = \"none\" }",
          "train.optimizer={ name = \"muon\", exclude_layers = \"dense\" }",
          "train.optimizer={ name = \"muon\", exclude_convolutions = false }",
          "train.schedule.warmup_epochs=1",
          "parallel.shards=4",
          "parallel.exchange=ring",
          "data.scale=raw",
          "data.validation=test",
          "data.test_views=mirror",
          "data.test_views=mirror_translate",
          "data.dataset=synthetic",
          "checkpoint={monitor=\"loss\"}",
          "train.early_stopping={monitor=\"loss\"}"}) {
        digests.push_back(config_of("", {override_text}).digest);
    }
    digests.push_back(config_of("", {"data.dataset=synthetic", "data.seed=2"}).digest);
    digests.push_back(
        pipeline::effective_config(
            read(std::string(kHead) + "[[run]]\nname = \"a\"\nlayers = [{ type = \"flatten\" }, { "
                                      "type = \"dense\", units = 10, use_bias = false }]\n")
                .runs.at(0))
            .digest);
    std::sort(digests.begin(), digests.end());
    CHECK(std::adjacent_find(digests.begin(), digests.end()) == digests.end());
}

TEST_CASE("a run in which nothing decays is the run that it always was", "[effective_config]") {
    const EffectiveConfig plain = config_of("");
    CHECK(shown(plain, "train.optimizer.weight_decay") == "absent");
    for (const char* text : {"train.optimizer={ weight_decay = 0.0 }",
                             "train.optimizer={ exclude_from_weight_decay = \"bias\" }",
                             "train.optimizer={ name = \"adamw\", weight_decay = 0 }"})
        CHECK(config_of("", {text}).digest == plain.digest);
    CHECK(config_of("", {"train.optimizer=adamw"}).digest != plain.digest);
    CHECK(config_of("", {"train.label_smoothing=0"}).digest == plain.digest);
    CHECK(config_of("", {"data.test_views=image"}).digest == plain.digest);
    CHECK(config_of("", {"train.class_weights=none"}).digest == plain.digest);
    CHECK(config_of("", {"train.class_weights={ cat = 1, 5 = 1.0 }"}).digest == plain.digest);
    CHECK(config_of("", {"layers.dense.learning_rate_factor=1"}).digest == plain.digest);
    CHECK(config_of("", {"layers.dense.trainable_epochs={}"}).digest == plain.digest);
    CHECK(config_of("", {"layers.dense.bias_regularizer=\"none\""}).digest == plain.digest);
    CHECK(config_of("", {"train.optimizer.learning_rate_factors={ bias = 1 }"}).digest ==
          plain.digest);
    CHECK(config_of("", {"train.optimizer={ global_clipnorm = \"none\" }"}).digest == plain.digest);
    for (const char* text :
         {"use_ema = false", "ema_momentum = 0.5", "ema_overwrite_frequency = \"none\"",
          "ema_overwrite_frequency = 5", "lookahead = \"none\"", "gradient_accumulation_steps = 1"})
        CHECK(config_of("", {std::string("train.optimizer={ ") + text + " }"}).digest ==
              plain.digest);
    for (const char* none : {"{ l2 = 0.0 }", "\"none\""}) {
        const std::string setting = std::string("layers.dense.kernel_regularizer=") + none;
        CHECK(config_of("", {setting}).digest == plain.digest);
    }
}

TEST_CASE("an adam that decays weights is adamw, by either name", "[effective_config]") {
    const EffectiveConfig adamw = config_of("", {"train.optimizer=adamw"});
    CHECK(shown(adamw, "train.optimizer.name") == "\"adamw\" # --set");
    CHECK(shown(adamw, "train.optimizer.weight_decay") == "0.004 # default");
    CHECK(config_of("", {"train.optimizer={ weight_decay = 0.004 }"}).digest == adamw.digest);
    const auto excluding = [](const std::string& names) {
        return config_of(
            "",
            {"train.optimizer={ name = \"adamw\", exclude_from_weight_decay = " + names + " }"});
    };
    CHECK(excluding("[\"beta\", \"bias\"]").digest == excluding("[\"bias\", \"beta\"]").digest);
    CHECK(excluding("[\"bias\"]").digest == excluding("\"bias\"").digest);
    CHECK(excluding("[]").digest == adamw.digest);
    CHECK(excluding("\"bias\"").digest != adamw.digest);
    CHECK(shown(excluding("[\"beta\", \"bias\"]"), "train.optimizer.exclude_from_weight_decay") ==
          "[\"bias\", \"beta\"] # --set");
}

// Stores are full of them.
TEST_CASE("the ids of runs with the first optimizers are what they were", "[effective_config]") {
    CHECK(config_of("").digest.substr(0, 8) == "e330f0c3");
    CHECK(config_of("", {"train.optimizer=sgd"}).digest.substr(0, 8) == "224eb2e3");
    CHECK(config_of("", {"train.optimizer=adamw"}).digest.substr(0, 8) == "07a302a0");
    CHECK(config_of("", {"train.optimizer=rmsprop"}).digest.substr(0, 8) == "69dd7edf");
}

TEST_CASE("of initial weights the content counts, not the path", "[effective_config]") {
    const TemporaryDirectory folder;
    const auto write = [&](const char* name, const char* content) {
        std::ofstream(folder / name) << content;
        return "train.initial_weights=" + (folder / name).string();
    };
    const std::string digest = config_of("", {write("a.h5", "one")}).digest;
    CHECK(digest != config_of("").digest);
    CHECK(config_of("", {write("b.h5", "one")}).digest == digest);
    CHECK(config_of("", {write("a.h5", "two")}).digest != digest);
}

TEST_CASE("a design digest is that of all seeds, of no other setting", "[effective_config]") {
    const auto digest = [](const EffectiveConfig& config) {
        return pipeline::design_digest(config);
    };
    const std::string design = digest(config_of(""));
    CHECK(digest(config_of("train = { seed = 7 }\n")) == design);
    CHECK(digest(config_of("title = \"t\"\n", {"train.record_steps=true"}, "b")) == design);
    CHECK(digest(config_of("", {"parallel.ranks_per_run=1"})) == design);
    CHECK(digest(config_of("", {"checkpoint.every_minutes=5"})) == design);
    CHECK(digest(config_of("", {"train.epochs=3"})) != design);
    CHECK(digest(config_of("", {"data.scale=\"standard\""})) != design);
}

// Runs that between them use every key of an experiment file.
std::string every_key() {
    return std::string("schema = 1\n") + kHead + R"(title = "all keys"
[train]
batch_size = 8
epochs = 3
steps_per_epoch = 2
label_smoothing = 0.1
class_weights = { 0 = 0.25 }
shuffle = false
seed = 5
record_steps = true
initial_weights = "weights.h5"
[parallel]
shards = 4
exchange = "ring"
ranks_per_run = 2
[block.wide]
defaults = { copy = "input" }
layers = [{ type = "concatenate", inputs = ["input", "$copy"] }]
[[run]]
name = "a"
title = "t"
source = "s"
data = { dataset = "cifar10", path = "data", classes = ["dog", "cat"], scale = "standard", validation = { first = 9 }, test_views = "mirror", augmentation = [
  { type = "random_flip", mode = "horizontal" },
  { type = "random_crop", padding = 4, fill_mode = "mirror", fill_value = 3 },
  { type = "random_translation", height_factor = 0.1, width_factor = [0, 0.2] },
  { type = "random_rotation", factor = 0.1 },
  { type = "random_zoom", height_factor = 0.1, width_factor = 0.2 },
  { type = "random_brightness", factor = 0.1 },
  { type = "random_contrast", factor = [0.1, 0.2] },
  { type = "cutout", size = 8, fill_value = 127 },
  { type = "mixup", alpha = 0.4 },
] }
expect = { parameters = 5, loss = 1, accuracy = [0.5, 0.75], val_loss = 1, val_accuracy = 0.5, test_loss = 1, test_accuracy = 0.5, best_val_loss = 1, best_val_accuracy = 0.5 }
checkpoint = { monitor = "val_loss", mode = "min", restore_best_weights = true, every_minutes = 5 }
layers = [
  { type = "conv2d", name = "c", filters = 3, kernel_size = [1, 2], strides = 2, padding = "same", activation = "relu", use_bias = false, kernel_initializer = "he_uniform", kernel_regularizer = { l2 = 1e-4 } },
  { type = "max_pooling2d", name = "p", pool_size = 2, strides = 1, padding = "same" },
  { type = "average_pooling2d" },
  { type = "depthwise_conv2d", kernel_size = 1, depth_multiplier = 2, depthwise_initializer = { name = "random_uniform", minval = -1, maxval = 1 }, depthwise_regularizer = { l2 = 1e-4 }, dilation_rate = 1 },
  { type = "separable_conv2d", filters = 4, kernel_size = 1, pointwise_initializer = { name = "truncated_normal", mean = 0.5, stddev = 0.1 }, pointwise_regularizer = { l2 = 1e-4 } },
  { type = "conv2d", filters = 4, kernel_size = 1, groups = 2, dilation_rate = 2, kernel_initializer = { name = "orthogonal", gain = 0.5 }, bias_initializer = { name = "constant", value = 0.5 }, trainable = false, learning_rate_factor = 0.5, trainable_epochs = { kernel = 0, bias = 3 }, bias_regularizer = { l2 = 1e-4 } },
  { type = "layer_normalization", center = false, scale = false, beta_initializer = "ones", gamma_initializer = "ones", beta_regularizer = { l2 = 1e-4 }, gamma_regularizer = { l2 = 1e-4 } },
  { type = "zero_padding2d", padding = [[1, 0], [0, 1]] },
  { type = "up_sampling2d", size = 2, interpolation = "bilinear" },
  { type = "rescaling", scale = 2, offset = 0.5 },
  { type = "spatial_dropout2d", rate = 0.1 },
  { type = "global_average_pooling2d", name = "g", keepdims = true },
  { type = "multiply", name = "m", inputs = ["spatial_dropout2d", "g"] },
  { type = "average_pooling2d", name = "q" },
  { type = "add", inputs = ["q", "q"] },
  { block = "wide", inputs = "add", repeat = 1 },
  { type = "batch_normalization", name = "b", momentum = 0.9, epsilon = 1e-4 },
  { type = "dropout", name = "d", rate = 0.1 },
  { type = "activation", name = "r", activation = "relu" },
  { type = "flatten", name = "f" },
  { type = "dense", name = "out", units = 2, activation = "softmax", use_bias = true, kernel_initializer = "glorot_uniform" },
]
[run.train]
optimizer = { name = "sgd", learning_rate = 0.1, momentum = 0.9, nesterov = true, weight_decay = 1e-4, exclude_from_weight_decay = ["gamma"], global_clipnorm = 2.5, use_ema = true, ema_momentum = 0.9, ema_overwrite_frequency = 50, gradient_accumulation_steps = 2 }
schedule = { name = "step", every_epochs = 2, factor = 0.5, warmup_epochs = 0.5 }
early_stopping = { monitor = "val_accuracy", mode = "max", patience = 2, min_delta = 1e-3, restore_best_weights = true }
[[run]]
name = "b"
data = { dataset = "synthetic", training_samples = 50, test_samples = 20, seed = 3, validation = { fraction = 0.1 } }
checkpoint = { every_minutes = 0.5 }
layers = [{ type = "flatten" }, { type = "dense", units = 10 }]
[run.train]
optimizer = { name = "adam", learning_rate = 0.1, beta_1 = 0.8, beta_2 = 0.99, epsilon = 1e-6 }
schedule = { name = "exponential", every_epochs = 2, factor = 0.5, warmup_epochs = 0.5 }
[[run]]
name = "h"
data = { dataset = "mnist", image_size = [8, 9], interpolation = "nearest", crop_to_aspect_ratio = true, color_mode = "grayscale", test_fraction = 0.1 }
layers = [{ type = "flatten" }, { type = "dense", units = 10 }]
[[run]]
name = "g"
data = { dataset = "cifar100", label_mode = "coarse" }
layers = [{ type = "flatten" }, { type = "dense", units = 20 }]
[[run]]
name = "w"
layers = [{ type = "conv2d", filters = 6, kernel_size = 1, kernel_initializer = { name = "patch_whitening", images = 100, epsilon = 1e-3 } }, { type = "flatten" }, { type = "dense", units = 10 }]
[[run]]
name = "d"
layers = [{ type = "flatten" }, { type = "dense", units = 10 }]
train.schedule = { name = "piecewise", epochs = [1, 2.5], factors = [0.1, 1e-3] }
[[run]]
name = "e"
layers = [{ type = "flatten" }, { type = "dense", units = 10 }]
train.schedule = { name = "one_cycle", over_epochs = 4, start_factor = 0.2, peak_at = 0.25, final_factor = 0.05 }
[[run]]
name = "f"
layers = [{ type = "flatten" }, { type = "dense", units = 10 }]
train.schedule = { name = "reduce_on_plateau", monitor = "loss", mode = "min", factor = 0.5, patience = 3, min_delta = 1e-3, cooldown = 1, min_learning_rate = 1e-5 }
[[run]]
name = "lion"
layers = [{ type = "flatten" }, { type = "dense", units = 10 }]
train.optimizer = { name = "lion", learning_rate = 0.1, beta_1 = 0.8, beta_2 = 0.9, weight_decay = 0.1 }
[[run]]
name = "adagrad"
layers = [{ type = "flatten" }, { type = "dense", units = 10 }]
train.optimizer = { name = "adagrad", learning_rate = 0.1, initial_accumulator_value = 0.2, epsilon = 1e-6, lookahead = { sync_period = 5, slow_step_size = 0.25, power = 3, over_epochs = 2.5, moving_statistics = true } }
[[run]]
name = "nadam"
layers = [{ type = "flatten" }, { type = "dense", units = 10 }]
train.optimizer = { name = "nadam", learning_rate = 0.1, beta_1 = 0.8, beta_2 = 0.99, epsilon = 1e-6, learning_rate_factors = { kernel = 0.5, depthwise_kernel = 2, pointwise_kernel = 3, bias = 4, gamma = 5, beta = 6 } }
[[run]]
name = "muon"
layers = [{ type = "flatten" }, { type = "dense", units = 10 }]
train.optimizer = { name = "muon", learning_rate = 0.1, adam_beta_1 = 0.8, adam_beta_2 = 0.99, epsilon = 1e-6, weight_decay = 0, adam_weight_decay = 0.1, exclude_from_weight_decay = ["bias"], momentum = 0.5, nesterov = false, ns_steps = 3, muon_a = 3, muon_b = -4, muon_c = 2, adam_lr_ratio = 0.5, rms_rate = "none", exclude_layers = ["out", "x/kernel"], exclude_convolutions = false }
[[run]]
name = "c"
layers = [{ type = "flatten" }, { type = "dense", units = 10 }]
[run.train]
seeds = [1, 2]
optimizer = { name = "rmsprop", learning_rate = 0.1, rho = 0.8, momentum = 0.5, epsilon = 1e-6 }
schedule = { name = "cosine", over_epochs = 2, final_factor = 0.1, warmup_epochs = 0.5 }
)";
}

// Which settings are no part of a design is decided twice: where they are listed, and where the
// rows of older stores are read.
TEST_CASE("the design read from a stored configuration is the planned one, whatever its keys",
          "[effective_config]") {
    const TemporaryDirectory folder;
    std::ofstream(folder / "weights.h5") << "weights";
    for (const auto& run :
         read(every_key(), {"train.initial_weights=" + (folder / "weights.h5").string()}).runs) {
        const EffectiveConfig config = pipeline::effective_config(run);
        CAPTURE(run.config.name);
        REQUIRE_FALSE(run.initial_weights_sha256.empty());
        storage::RunRow row;
        row.effective_config = pipeline::effective_toml(config, "test");
        row.initial_weights_sha256 = run.initial_weights_sha256;
        CHECK(reports::design_of(row).settings == pipeline::design_digest(config));
        const auto again = read(row.effective_config).runs.at(0);
        CHECK(pipeline::effective_config(again).digest == config.digest);
    }
}

TEST_CASE("the file of every key has every key", "[effective_config]") {
    for (const pipeline::KeyList& list : pipeline::all_keys()) {
        for (const std::string_view key : list.keys) {
            if (key == "sweep" || key == "block") continue;  // make runs, and are no values of one
            CAPTURE(std::string(list.table), std::string(key));
            CHECK(contains(every_key(), std::string(key)));
        }
    }
}

TEST_CASE("the run id is the name and eight digits of the digest", "[effective_config]") {
    const auto run = read(kHead + run_text("net", "train = { seeds = [1, 2] }\n")).runs.at(1);
    const EffectiveConfig config = pipeline::effective_config(run);
    CHECK(pipeline::run_id(run, config) == "net-seed2-" + config.digest.substr(0, 8));
}

TEST_CASE("effective.toml read again is the same run", "[effective_config]") {
    const std::string text = std::string(kHead) + R"(
[data]
scale = "standard"
validation = { fraction = 0.1 }
[train]
seed = 5
optimizer = { name = "rmsprop", learning_rate = 1e-4 }
schedule = { name = "cosine", warmup_epochs = 0.25 }
early_stopping = { monitor = "val_accuracy", patience = 2, min_delta = 1e-3 }
[checkpoint]
monitor = "val_loss"
[[run]]
name = "a"
title = "quotes \" and \\ and \u001b"
data.classes = ["dog", "cat"]
expect = { accuracy = [0.5, 0.75] }
layers = [
  { type = "conv2d", filters = 3, kernel_size = [1, 2], strides = 2 },
  { type = "average_pooling2d" }, { type = "batch_normalization" }, { type = "dropout", rate = 0.1 },
  { type = "activation", activation = "relu" }, { type = "flatten" }, { type = "dense", name = "out", units = 2 },
]
)";
    const auto run = read(text).runs.at(0);
    const EffectiveConfig config = pipeline::effective_config(run);
    const std::string printed = pipeline::effective_toml(config, "test");
    CHECK(contains(printed, "learning_rate = 0.0001  # exp.toml:9\n"));

    const auto again = read(printed);
    REQUIRE(again.runs.size() == 1);
    CHECK(again.name == "test");
    CHECK(again.runs[0].title == run.title);
    CHECK(again.runs[0].expect.at(0).values == run.expect.at(0).values);
    CHECK(again.runs[0].architecture.parameter_count() == run.architecture.parameter_count());
    CHECK(pipeline::effective_config(again.runs[0]).digest == config.digest);
}

TEST_CASE("expected figures are JSON, whole numbers whole", "[effective_config]") {
    CHECK(pipeline::expected_json({}).empty());
    CHECK(
        pipeline::expected_json({{"parameters", {552362}, false}, {"accuracy", {0.5, 1}, true}}) ==
        "{\"parameters\":552362,\"accuracy\":[0.5,1]}");
}
