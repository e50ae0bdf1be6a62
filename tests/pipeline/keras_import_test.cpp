// Networks in Keras' words, read: what is said, and what cannot be.

#include <string>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/keras/imported_experiment.hpp"
#include "pipeline/keras/keras_network.hpp"
#include "pipeline/recording/matched_arrays.hpp"
#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep;
using namespace lockstep::tests;
using pipeline::KerasNetwork;

namespace {

std::string sequential(const std::string& layers) {
    return R"({"class_name":"Sequential","config":{"name":"net","layers":[)" + layers + "]}}";
}

// A convolution as the head, with more settings.
std::string conv(const std::string& more = "", const std::string& inbound = "") {
    return R"({"class_name":"Conv2D","config":{"name":"c","batch_input_shape":[null,8,8,3],)"
           R"("filters":4,"kernel_size":[3,3])" +
           more + "}" + inbound + "}";
}

std::string message_of(const std::string& json) {
    try {
        pipeline::read_keras_network(json, "m.h5");
    } catch (const pipeline::Failure& failure) {
        CHECK(failure.exit_code() == pipeline::kExitBadData);
        return failure.what();
    }
    return {};
}

// x -> c -> add(x', c) and back, as Keras 2 and 3 say it.
const std::string kInput =
    R"({"class_name":"InputLayer","config":{"name":"x","batch_shape":[null,8,8,4]},"inbound_nodes":[]})";
std::string functional(const std::string& conv_inbound, const std::string& add_inbound) {
    return R"({"class_name":"Functional","config":{"name":"res","layers":[)" + kInput +
           R"(,{"class_name":"Add","config":{"name":"sum/1"},"inbound_nodes":)" + add_inbound +
           R"(},)" +
           R"({"class_name":"Conv2D","config":{"name":"c","filters":4,"kernel_size":3,"padding":"same"},)"
           R"("inbound_nodes":)" +
           conv_inbound + R"(}],"input_layers":[["x",0,0]],"output_layers":[["sum/1",0,0]]}})";
}
std::string tensor(const std::string& layer) {
    return R"({"class_name":"__keras_tensor__","config":{"shape":[null,8,8,4],"keras_history":[")" +
           layer + R"(",0,0]}})";
}

void check_residual(const KerasNetwork& network) {
    CHECK(network.input == trainer::Shape{8, 8, 4, false});
    REQUIRE(network.layers.size() == 2);
    CHECK(network.layers[0].name == "c");
    CHECK(network.layers[0].sources == std::vector<trainer::ValueNumber>{0});
    CHECK(network.layers[1].name == "sum_1");
    CHECK(network.layers[1].sources == std::vector<trainer::ValueNumber>{0, 1});
    CHECK(network.renamed.at("sum/1") == "sum_1");
}

storage::NamedArray array(const std::string& layer, const std::string& name, float value) {
    return {layer, name, {1}, {value}};
}
std::vector<float> values_of(const storage::NamedArrays& arrays) {
    std::vector<float> values;
    for (const auto& each : arrays) values.push_back(each.values.at(0));
    return values;
}

}  // namespace

TEST_CASE("a residual network, in the words of Keras 2 and 3", "[keras_import]") {
    check_residual(pipeline::read_keras_network(
        functional(R"([[["x",0,0,{}]]])", R"([[["x",0,0,{}],["c",0,0,{}]]])"), "m"));
    check_residual(pipeline::read_keras_network(
        functional(R"([{"args":[)" + tensor("x") + R"(],"kwargs":{}}])",
                   R"([{"args":[[)" + tensor("x") + "," + tensor("c") + R"(]],"kwargs":{}}])"),
        "m"));
}

TEST_CASE("a chain has no sources, and no input layer", "[keras_import]") {
    const KerasNetwork network = pipeline::read_keras_network(
        sequential(conv(R"(,"data_format":"channels_last","kernel_constraint":null)") +
                   R"(,{"class_name":"Flatten","config":{"name":"f"}},)"
                   R"({"class_name":"Dense","config":{"name":"d","units":7}})"),
        "m");
    CHECK(network.input == trainer::Shape{8, 8, 3, false});
    REQUIRE(network.layers.size() == 3);
    for (const auto& layer : network.layers) CHECK(layer.sources.empty());
    CHECK(pipeline::classes_of(network) == 7);
}

TEST_CASE("what cannot be expressed is named with its layer", "[keras_import]") {
    const auto message = [](const std::string& setting) {
        return message_of(sequential(conv("," + setting)));
    };
    CHECK(contains(message(R"("activation":"selu")"), "layer c (Conv2D): activation = \"selu\""));
    CHECK(contains(message(R"("data_format":"channels_first")"), "data_format"));
    CHECK(contains(message(R"("kernel_constraint":{"class_name":"MaxNorm"})"), "MaxNorm"));
    CHECK(contains(message(R"("kernel_regularizer":{"class_name":"L1","config":{"l1":0.1}})"),
                   "kernel_regularizer"));
    CHECK(contains(message(R"("groups":"two")"), "groups"));
    CHECK(contains(message(R"("strides":[2])"), "strides"));
    // All of them at once, a line each.
    const std::string both = message_of(
        sequential(conv(R"(,"activation":"selu")") +
                   R"(,{"class_name":"GaussianNoise","config":{"name":"noise","stddev":0.1}})"));
    CHECK(contains(both, "\n  layer c (Conv2D)"));
    CHECK(contains(both, "\n  layer noise (GaussianNoise): there is no such layer here"));
    CHECK(contains(message_of(sequential(R"({"class_name":"ReLU","config":{"name":"r",)"
                                         R"("max_value":4.0,"batch_input_shape":[null,8,8,3]}})")),
                   "max_value = 4"));
}

TEST_CASE("no model, or a model of something else, is refused in words", "[keras_import]") {
    CHECK(contains(message_of("[1]"), "m.h5 is no model of Keras"));
    CHECK(contains(message_of("{}"), "m.h5 is no model of Keras"));
    CHECK(contains(message_of("nonsense"), "m.h5 is no model of Keras"));
    CHECK(contains(message_of(R"({"class_name":"MyModel","config":{"layers":[]}})"), "MyModel"));
    CHECK(contains(message_of(R"({"class_name":"Sequential","config":{"layers":[)"
                              R"({"class_name":"Dense","config":{"name":"d","units":2,)"
                              R"("batch_input_shape":[null,9]}}]}})"),
                   "not that of images"));
    CHECK(contains(message_of(functional(R"([[["x",0,0,{}]],[["c",0,0,{}]]])",
                                         R"([[["x",0,0,{}],["c",0,0,{}]]])")),
                   "used more than once"));
    CHECK(
        contains(message_of(functional(R"([[["y",0,0,{}]]])", R"([[["x",0,0,{}],["c",0,0,{}]]])")),
                 "\"y\""));
}

TEST_CASE("an imported experiment is one that can be read", "[keras_import]") {
    const KerasNetwork network = pipeline::read_keras_network(
        R"({"class_name":"Sequential","config":{"name":"my net","layers":[)"
        R"({"class_name":"Conv2D","config":{"name":"c","batch_input_shape":[null,32,32,3],)"
        R"("filters":4,"kernel_size":[3,3],"strides":[2,1]}},)"
        R"({"class_name":"Flatten","config":{"name":"f"}},)"
        R"({"class_name":"Dense","config":{"name":"d","units":10,"trainable":false}}]}})",
        "m");
    const std::string toml = pipeline::imported_toml(
        network, 10,
        {.source = "m.keras",
         .initial_weights = {},
         .training_json = R"({"optimizer_config":{"class_name":"SGD","config":)"
                          R"({"learning_rate":0.05000000074505806,"momentum":0.9}}})"});
    CAPTURE(toml);
    const auto run = read(toml).runs.at(0);
    CHECK(run.config.name == "my-net");
    REQUIRE(run.config.layers.size() == 3);
    CHECK(run.config.layers[0].name == "c");
    CHECK_FALSE(run.config.layers[2].trainable);
    CHECK(run.config.train.optimizer.learning_rate == 0.05);
    CHECK(std::get<trainer::SgdConfig>(run.config.train.optimizer.rule).momentum == 0.9);
}

TEST_CASE("a model that scales bytes itself takes them as they are", "[keras_import]") {
    const auto scale = [](const std::string& factor) {
        const KerasNetwork network = pipeline::read_keras_network(
            R"({"class_name":"Sequential","config":{"name":"n","layers":[)"
            R"({"class_name":"Rescaling","config":{"name":"r","batch_input_shape":[null,32,32,3],)"
            R"("scale":)" +
                factor + R"(}}]}})",
            "m");
        const std::string toml = pipeline::imported_toml(network, 10, {"m", "", ""});
        return toml.substr(toml.find("scale = "), 14);
    };
    CHECK(scale("0.00392156862745098") == "scale = \"raw\" ");
    CHECK(scale("0.5") == "scale = \"unit\"");
}

TEST_CASE("what a file does not tell is guessed, and no more", "[keras_import]") {
    const auto network = [](const std::string& input) {
        return pipeline::read_keras_network(
            R"({"class_name":"Sequential","config":{"name":"n","layers":[)"
            R"({"class_name":"Flatten","config":{"name":"f","batch_input_shape":)" +
                input + R"(}},{"class_name":"Dense","config":{"name":"d","units":10}}]}})",
            "m");
    };
    using Guesses = std::vector<std::string>;
    const KerasNetwork cifar = network("[null,32,32,3]");
    pipeline::ImportedExperiment import{"m", "", "", {}, {}};
    CHECK(pipeline::guesses_of(cifar, 10, import) ==
          Guesses{"data.dataset = \"cifar10\"", "data.scale = \"unit\""});
    import.scale = trainer::PixelScale{{0, 0, 0}, { 255, 255, 255 }};
    CHECK(pipeline::guesses_of(cifar, 10, import) == Guesses{"data.dataset = \"cifar10\""});
    CHECK(contains(pipeline::imported_toml(cifar, 10, import), "scale = \"unit\"  # as"));
    import.scale->divisor = {60, 61, 62};
    CHECK(contains(pipeline::imported_toml(cifar, 10, import), "scale = \"standard\"  # by"));
    // Of images of no known set a file for folders of them is made.
    const std::string other = pipeline::imported_toml(network("[null,5,7,1]"), 10, {"m", "", ""});
    CHECK(contains(other, "dataset = \"image_folder\""));
    CHECK(contains(other, "image_size = [5, 7]\ncolor_mode = \"grayscale\""));
    // Which is right but for the images.
    CHECK_THROWS_AS(read(other), trainer::DataError);
}

TEST_CASE("an imported optimizer is the exported one", "[keras_import]") {
    const KerasNetwork network = pipeline::read_keras_network(
        R"({"class_name":"Sequential","config":{"name":"n","layers":[)"
        R"({"class_name":"Flatten","config":{"name":"f","batch_input_shape":[null,32,32,3]}},)"
        R"({"class_name":"Dense","config":{"name":"d","units":10}}]}})",
        "m");
    const auto imported = [&](const std::string& optimizer) {
        return read(pipeline::imported_toml(
                        network, 10,
                        {.source = "m.keras",
                         .initial_weights = {},
                         .training_json = R"({"optimizer_config":)" + optimizer + "}"}))
            .runs.at(0)
            .config.train.optimizer;
    };
    const auto lion = imported(
        R"({"class_name":"Lion","config":{"learning_rate":0.5,"beta_1":0.75,"beta_2":0.25}})");
    CHECK(lion.learning_rate == 0.5);
    CHECK(std::get<trainer::LionConfig>(lion.rule).beta_1 == 0.75);
    CHECK(std::get<trainer::LionConfig>(lion.rule).beta_2 == 0.25);
    const auto averaged =
        imported(R"({"class_name":"SGD","config":{"use_ema":true,"ema_momentum":0.0,)"
                 R"("ema_overwrite_frequency":null,"gradient_accumulation_steps":4}})");
    CHECK(std::get<trainer::EmaConfig>(averaged.average).momentum == 0.0);
    CHECK_FALSE(std::get<trainer::EmaConfig>(averaged.average).overwrite_frequency);
    CHECK(averaged.gradient_accumulation_steps == 4);
    const auto plain =
        imported(R"({"class_name":"SGD","config":{"use_ema":false,"ema_momentum":0.99,)"
                 R"("ema_overwrite_frequency":100,"gradient_accumulation_steps":null}})");
    CHECK_FALSE(trainer::has_average(plain));
    CHECK(plain.gradient_accumulation_steps == 1);
    const auto adagrad = imported(
        R"({"class_name":"Adagrad","config":{"initial_accumulator_value":0.0,"epsilon":0.25}})");
    CHECK(std::get<trainer::AdagradConfig>(adagrad.rule).initial_accumulator_value == 0.0);
    CHECK(std::get<trainer::AdagradConfig>(adagrad.rule).epsilon == 0.25);
    const auto nadam = imported(
        R"({"class_name":"Nadam","config":{"beta_1":0.75,"beta_2":0.5,"weight_decay":0.125}})");
    CHECK(std::get<trainer::NadamConfig>(nadam.rule).beta_1 == 0.75);
    CHECK(std::get<trainer::NadamConfig>(nadam.rule).beta_2 == 0.5);
    CHECK(nadam.weight_decay == 0.125);
    const auto muon = imported(
        R"({"class_name":"Muon","config":{"ns_steps":3,"rms_rate":null,"weight_decay":null,)"
        R"("momentum":0.0,"nesterov":false,"exclude_layers":["d","head"],"muon_c":2.0315}})");
    CHECK(muon.weight_decay == 0.0);
    const auto& rule = std::get<trainer::MuonConfig>(muon.rule);
    CHECK(rule.ns_steps == 3);
    CHECK_FALSE(rule.rms_rate);
    CHECK(rule.momentum == 0.0);
    CHECK_FALSE(rule.nesterov);
    CHECK(rule.exclude_layers == std::vector<std::string>{"d", "head"});
    CHECK(rule.muon_c == 2.0315);
    CHECK(rule.adam_weight_decay == 0.004);
}

TEST_CASE("arrays find their tensors by the names of layers", "[keras_import]") {
    trainer::Architecture network;
    for (const char* name : {"a", "b"}) {
        trainer::LayerShape layer;
        layer.name = name;
        for (const char* tensor : {"kernel", "bias"}) {
            trainer::ParameterShape parameter;
            parameter.name = tensor;
            parameter.shape = {1};
            layer.parameters.push_back(parameter);
        }
        network.layers.push_back(layer);
    }
    using pipeline::matched_by_name;
    // Another order in the file; arrays that are numbered keep theirs.
    CHECK(values_of(matched_by_name({array("b", "bias", 4), array("b", "kernel", 3),
                                     array("a", "kernel", 1), array("a", "bias", 2)},
                                    network)) == std::vector{1.0F, 2.0F, 3.0F, 4.0F});
    CHECK(values_of(matched_by_name(
              {array("b", "0", 3), array("b", "1", 4), array("a", "0", 1), array("a", "1", 2)},
              network)) == std::vector{1.0F, 2.0F, 3.0F, 4.0F});
    // Other names: as they stand.
    CHECK(values_of(matched_by_name({array("b", "kernel", 1), array("b", "bias", 2),
                                     array("c", "kernel", 3), array("c", "bias", 4)},
                                    network)) == std::vector{1.0F, 2.0F, 3.0F, 4.0F});
}
