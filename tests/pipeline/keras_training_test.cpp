// How models of Keras were compiled, as experiment files say it.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/keras/imported_experiment.hpp"
#include "pipeline/keras/keras_config.hpp"
#include "pipeline/keras/untold_training.hpp"
#include "tests/pipeline/keras_models.hpp"
#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep;
using namespace lockstep::tests;
using pipeline::ImportedTraining;

namespace {

// The experiment of a model that was compiled so, as it is read again.
trainer::TrainConfig read_training(const ImportedTraining& training) {
    const auto network = pipeline::read_keras_network(
        sequential({keras_layer("Flatten", R"("name":"f","batch_input_shape":[null,32,32,3])"),
                    keras_layer("Dense", R"("name":"d","units":10)")}),
        "m");
    const std::string toml = pipeline::imported_toml(
        network, 10, {.source = "m.keras", .initial_weights = {}, .training = training});
    CAPTURE(toml);
    return read(toml).runs.at(0).config.train;
}

ImportedTraining training_of(const std::string& json, bool ends_in_softmax = false) {
    return pipeline::imported_training(json, ends_in_softmax, "m.keras");
}

ImportedTraining optimizer(const std::string& class_name, const std::string& config) {
    return training_of(R"({"optimizer_config":{"class_name":")" + class_name + R"(","config":{)" +
                       config + "}}}");
}

trainer::OptimizerConfig imported(const std::string& class_name, const std::string& config) {
    const ImportedTraining training = optimizer(class_name, config);
    CHECK(training.left_out.empty());
    return read_training(training).optimizer;
}

using Lines = std::vector<std::string>;

Lines left_out(const std::string& class_name, const std::string& config) {
    const ImportedTraining training = optimizer(class_name, config);
    read_training(training);  // what is not left out can be read
    return training.left_out;
}

ImportedTraining loss(const std::string& json, bool ends_in_softmax = false) {
    return training_of(R"({"loss":)" + json + "}", ends_in_softmax);
}

}  // namespace

TEST_CASE("an imported optimizer is the exported one", "[keras_training]") {
    const auto lion = imported("Lion", R"("learning_rate":0.5,"beta_1":0.75,"beta_2":0.25)");
    CHECK(lion.learning_rate == 0.5);
    CHECK(std::get<trainer::LionConfig>(lion.rule).beta_1 == 0.75);
    CHECK(std::get<trainer::LionConfig>(lion.rule).beta_2 == 0.25);
    const auto averaged =
        imported("SGD", R"("use_ema":true,"ema_momentum":0.0,"ema_overwrite_frequency":null,)"
                        R"("gradient_accumulation_steps":4)");
    CHECK(std::get<trainer::EmaConfig>(averaged.average).momentum == 0.0);
    CHECK_FALSE(std::get<trainer::EmaConfig>(averaged.average).overwrite_frequency);
    CHECK(averaged.gradient_accumulation_steps == 4);
    const auto plain =
        imported("SGD", R"("use_ema":false,"ema_momentum":0.99,"ema_overwrite_frequency":100,)"
                        R"("gradient_accumulation_steps":null)");
    CHECK_FALSE(trainer::has_average(plain));
    CHECK(plain.gradient_accumulation_steps == 1);
    const auto adagrad = imported("Adagrad", R"("initial_accumulator_value":0.0,"epsilon":0.25)");
    CHECK(std::get<trainer::AdagradConfig>(adagrad.rule).initial_accumulator_value == 0.0);
    CHECK(std::get<trainer::AdagradConfig>(adagrad.rule).epsilon == 0.25);
    const auto nadam = imported("Nadam", R"("beta_1":0.75,"beta_2":0.5,"weight_decay":0.125)");
    CHECK(std::get<trainer::NadamConfig>(nadam.rule).beta_1 == 0.75);
    CHECK(std::get<trainer::NadamConfig>(nadam.rule).beta_2 == 0.5);
    CHECK(nadam.weight_decay == 0.125);
}

TEST_CASE("an imported Muon is the exported one", "[keras_training]") {
    const std::string settings =
        R"("ns_steps":3,"rms_rate":null,"weight_decay":null,"momentum":0.0,"nesterov":false,)"
        R"("exclude_layers":["d","head"],"exclude_embeddings":true,"muon_c":2.0315)";
    const auto muon = imported("Muon", settings);
    CHECK(left_out("Muon", settings).empty());
    CHECK(muon.weight_decay == 0.0);
    const auto& rule = std::get<trainer::MuonConfig>(muon.rule);
    CHECK(rule.ns_steps == 3);
    CHECK_FALSE(rule.rms_rate);
    CHECK(rule.momentum == 0.0);
    CHECK_FALSE(rule.nesterov);
    CHECK(rule.exclude_layers == std::vector<std::string>{"d", "head"});
    CHECK(rule.muon_c == 2.0315);
    CHECK(rule.adam_weight_decay == 0.004);
    CHECK(left_out("Muon", R"("exclude_layers":"head")") ==
          Lines{"optimizer Muon: exclude_layers = \"head\""});
}

// Left out, they would be the defaults of a setting that is not there: 0.004, 0.9, ...
TEST_CASE("a setting of 0 stays 0", "[keras_training]") {
    CHECK(imported("AdamW", R"("weight_decay":0.0)").weight_decay == 0.0);
    CHECK(imported("AdamW", R"("weight_decay":0)").weight_decay == 0.0);
    CHECK(imported("AdamW", R"("weight_decay":null)").weight_decay == 0.004);
    const auto rmsprop = imported("RMSprop", R"("rho":0.0,"momentum":0.0)");
    CHECK(std::get<trainer::RmspropConfig>(rmsprop.rule).rho == 0.0);
    const auto adam = imported("Adam", R"("beta_1":0.0,"beta_2":0.0)");
    CHECK(std::get<trainer::AdamConfig>(adam.rule).beta_1 == 0.0);
    CHECK(std::get<trainer::AdamConfig>(adam.rule).beta_2 == 0.0);
    CHECK(std::get<trainer::LionConfig>(imported("Lion", R"("beta_2":0.0)").rule).beta_2 == 0.0);
    // Which Keras takes for none at all.
    CHECK_FALSE(imported("SGD", R"("global_clipnorm":0.0)").global_clipnorm);
    // Experiment files take none of these.
    CHECK(left_out("SGD", R"("learning_rate":0.0)") == Lines{"optimizer SGD: learning_rate = 0.0"});
    CHECK(left_out("Adam", R"("epsilon":0.0)") == Lines{"optimizer Adam: epsilon = 0.0"});
    CHECK(left_out("Lion", R"("beta_1":0)") == Lines{"optimizer Lion: beta_1 = 0"});
}

TEST_CASE("what an optimizer is told beyond our keys is named", "[keras_training]") {
    // All that Keras 3.16 writes of an SGD, and 2.15 of a legacy Adam and a new one.
    CHECK(left_out("SGD",
                   R"("name":"sgd","learning_rate":0.05,"weight_decay":null,"clipnorm":null,)"
                   R"("global_clipnorm":null,"clipvalue":null,"use_ema":false,)"
                   R"("ema_momentum":0.99,"ema_overwrite_frequency":null,)"
                   R"("loss_scale_factor":null,"gradient_accumulation_steps":null,)"
                   R"("momentum":0.9,"nesterov":true)")
              .empty());
    CHECK(left_out("Adam", R"("name":"Adam","learning_rate":0.001,"decay":0.0,"beta_1":0.9,)"
                           R"("beta_2":0.999,"epsilon":1e-07,"amsgrad":false)")
              .empty());
    CHECK(left_out("Custom>Adam", R"("name":"Adam","weight_decay":null,"clipnorm":null,)"
                                  R"("global_clipnorm":null,"clipvalue":null,"use_ema":false,)"
                                  R"("ema_momentum":0.99,"ema_overwrite_frequency":null,)"
                                  R"("jit_compile":true,"is_legacy_optimizer":false,)"
                                  R"("learning_rate":0.001,"beta_1":0.9,"beta_2":0.999,)"
                                  R"("epsilon":1e-07,"amsgrad":false)")
              .empty());
    CHECK(left_out("Nadam", R"("decay":0.004)").empty());  // every Nadam's, in Keras 2
    CHECK(left_out("Adam", R"("amsgrad":true,"clipnorm":1.0,"clipvalue":0.5,"decay":1e-06)") ==
          Lines{"optimizer Adam: amsgrad = true", "optimizer Adam: clipnorm = 1.0",
                "optimizer Adam: clipvalue = 0.5", "optimizer Adam: decay = 1e-06"});
    CHECK(left_out("RMSprop", R"("centered":true)") == Lines{"optimizer RMSprop: centered = true"});
    const Lines schedule = left_out(
        "SGD", R"("learning_rate":{"class_name":"CosineDecay","config":{"decay_steps":9}})");
    REQUIRE(schedule.size() == 1);
    CHECK(contains(schedule[0], R"(optimizer SGD: learning_rate = {"class_name":"CosineDecay")"));
    CHECK(left_out("Adadelta", "") == Lines{R"(optimizer = "Adadelta")"});
    CHECK(imported("SGD", R"("lr":0.25)").learning_rate == 0.25);  // of Keras before 2.3
}

TEST_CASE("a loss is the one we have, with its smoothing, or is named", "[keras_training]") {
    const auto smoothing = [](const std::string& json) {
        const ImportedTraining training = loss(json);
        CHECK(training.left_out.empty());
        return read_training(training).label_smoothing;
    };
    // As Keras 3.16 writes them for a network that ends in logits.
    CHECK(smoothing(R"({"module":"keras.losses","class_name":"CategoricalCrossentropy","config":)"
                    R"({"name":"categorical_crossentropy","reduction":"sum_over_batch_size",)"
                    R"("from_logits":true,"label_smoothing":0.1,"axis":-1},)"
                    R"("registered_name":null})") == 0.1);
    CHECK(smoothing(R"({"class_name":"SparseCategoricalCrossentropy","config":{"reduction":"auto",)"
                    R"("name":"sparse_categorical_crossentropy","from_logits":true,)"
                    R"("ignore_class":null,"axis":-1,"fn":"sparse_categorical_crossentropy"}})") ==
          0.0);
    CHECK(loss(R"("sparse_categorical_crossentropy")", true).left_out.empty());
    CHECK(loss(R"(["categorical_crossentropy"])", true).left_out.empty());
    // Of logits, which are no probabilities.
    CHECK(loss(R"("categorical_crossentropy")").left_out ==
          Lines{"loss categorical_crossentropy: from_logits = false"});
    CHECK(loss(R"("mse")").left_out == Lines{R"(loss = "mse")"});
    CHECK(loss(R"({"class_name":"CategoricalCrossentropy","config":{"from_logits":true,)"
               R"("label_smoothing":1.5,"reduction":"sum"}})")
              .left_out == Lines{"loss CategoricalCrossentropy: label_smoothing = 1.5",
                                 R"(loss CategoricalCrossentropy: reduction = "sum")"});
    CHECK(training_of(R"({"loss_weights":[0.5]})").left_out == Lines{"loss_weights = [0.5]"});
}

TEST_CASE("a run's own training comes back from its Keras file", "[keras_training]") {
    for (const bool ends_in_softmax : {false, true}) {
        trainer::RunConfig config;
        config.layers = {{"f", trainer::FlattenConfig{}}, {"d", trainer::DenseConfig{10}}};
        if (ends_in_softmax)
            std::get<trainer::DenseConfig>(config.layers[1].kind).activation =
                trainer::Activation::softmax;
        config.train.label_smoothing = 0.25;
        config.train.optimizer = {.learning_rate = 0.5, .rule = trainer::SgdConfig{0.0, false}};
        const auto architecture = trainer::infer_shapes(config.layers, {32, 32, 3, false}, 10);
        const ImportedTraining training = training_of(
            pipeline::keras_model(config, architecture).training_config_json, ends_in_softmax);
        CHECK(training.left_out.empty());
        CHECK(read_training(training).label_smoothing == 0.25);
        CHECK(read_training(training).optimizer.learning_rate == 0.5);
    }
}

TEST_CASE("what Keras' files leave out of a training is known", "[keras_training]") {
    trainer::RunConfig config;
    config.layers = {{"d", trainer::DenseConfig{10}}};
    CHECK(pipeline::untold_training(config).empty());
    config.train.optimizer.exclude_from_weight_decay = {"bias"};
    CHECK(pipeline::untold_training(config).empty());  // nothing decays
    config.train.optimizer.weight_decay = 0.1;
    config.train.schedule.warmup_epochs = 1.0;
    config.train.optimizer.average = trainer::LookaheadConfig{};
    config.layers[0].learning_rate_factor = 2.0;
    CHECK(pipeline::untold_training(config) ==
          Lines{"schedule", "exclude_from_weight_decay", "lookahead",
                "learning_rate_factor and trainable_epochs of layers"});
    trainer::RunConfig with_muon;
    with_muon.train.optimizer.rule = trainer::MuonConfig{.exclude_convolutions = false};
    CHECK(pipeline::untold_training(with_muon) == Lines{"exclude_convolutions"});
    with_muon.train.optimizer.exclude_from_weight_decay = {"bias"};  // of adam_weight_decay
    CHECK(pipeline::untold_training(with_muon) ==
          Lines{"exclude_from_weight_decay", "exclude_convolutions"});
}

TEST_CASE("training settings of any other form do no harm", "[keras_training]") {
    CHECK(training_of("").lines.empty());
    CHECK(training_of("null").lines.empty());
    CHECK(left_out("SGD", R"("momentum":"much")") == Lines{R"(optimizer SGD: momentum = "much")"});
    CHECK(training_of(R"({"optimizer":{"class_name":5}})").left_out ==
          Lines{R"(optimizer = {"class_name":5})"});
    CHECK(training_of(R"({"optimizer":{"class_name":"SGD","config":[]},"loss":7})").left_out ==
          Lines{R"(optimizer = {"class_name":"SGD","config":[]})", "loss = 7"});
    for (const std::string json : {"[1]", "nonsense"}) {
        try {
            training_of(json);
            FAIL("read");
        } catch (const pipeline::Failure& failure) {
            CHECK(failure.exit_code() == pipeline::kExitBadData);
        }
    }
    // A key is no line of the file.
    const ImportedTraining hostile = optimizer("SGD", R"("x\nepochs = 7\n":1)");
    REQUIRE(hostile.left_out.size() == 1);
    CHECK(read_training(hostile).epochs == 1);
}
