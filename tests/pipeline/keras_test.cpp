// A run in Keras' words: the summary, and the JSON of a model.
#include <nlohmann/json.hpp>
#include <string>

#include "pipeline/keras/keras_config.hpp"
#include "pipeline/keras/model_summary.hpp"
#include "reports/words/number_text.hpp"
#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep;
using namespace lockstep::tests;

namespace {

pipeline::RunSpec small_run(const std::string& last_layer,
                            const std::string& optimizer = "\"adam\"") {
    return read(std::string(kHead) + R"([[run]]
name = "small"
train = { optimizer = )" +
                optimizer + R"( }
layers = [
  { type = "conv2d", filters = 4, kernel_size = [2, 3], padding = "same", activation = "relu" },
  { type = "max_pooling2d" },
  { type = "batch_normalization" },
  { type = "dropout", rate = 0.25 },
  { type = "flatten" },
  { type = "batch_normalization" },
  )" + last_layer +
                "\n]\n")
        .runs.at(0);
}

storage::KerasModel model_of(const pipeline::RunSpec& run) {
    return pipeline::keras_model(run.config, run.architecture);
}

const std::string kSoftmax = "{ type = \"dense\", units = 10, activation = \"softmax\" }";
const std::string kLogits = "{ type = \"dense\", units = 10 }";

}  // namespace

TEST_CASE("the layers are Keras', the input first", "[keras]") {
    const storage::KerasModel model = model_of(small_run(kSoftmax));
    CHECK(model.name == "small");
    REQUIRE(model.layers.size() == 8);
    CHECK(model.layers[0].class_name == "InputLayer");
    CHECK(
        model.layers[0].config_json ==
        R"({"batch_input_shape":[null,32,32,3],"dtype":"float32","sparse":false,"ragged":false,"name":"input_1"})");
    CHECK(model.layers[1].class_name == "Conv2D");
    CHECK(
        model.layers[1].config_json ==
        R"({"name":"conv2d","trainable":true,"dtype":"float32","filters":4,"kernel_size":[2,3],"strides":[1,1],)"
        R"("padding":"same","activation":"relu","use_bias":true,"kernel_initializer":{"class_name":"GlorotUniform","config":{"seed":null}},)"
        R"("dilation_rate":[1,1],"groups":1,"bias_initializer":{"class_name":"Zeros","config":{}},"data_format":"channels_last"})");
    const auto json = [&](std::size_t i) {
        return nlohmann::json::parse(model.layers[i].config_json);
    };
    CHECK(json(2)["pool_size"] == nlohmann::json({2, 2}));
    CHECK(json(3)["axis"] == nlohmann::json({3}));
    CHECK(json(3)["epsilon"] == 1e-3);
    CHECK(json(4)["rate"] == 0.25);
    CHECK(json(6)["axis"] == nlohmann::json({1}));  // of a vector
    CHECK(json(7)["activation"] == "softmax");
    CHECK(json(7)["units"] == 10);
}

TEST_CASE("a network that is no chain is a Functional model", "[keras]") {
    const auto run = read(std::string(kHead) + R"([[run]]
name = "graph"
layers = [
  { type = "conv2d", filters = 4, kernel_size = 3, padding = "same" },
  { type = "conv2d", filters = 4, kernel_size = 1 },
  { type = "add", inputs = ["conv2d_1", "conv2d"] },
  { type = "concatenate", inputs = ["add", "input"] },
  { type = "global_max_pooling2d" },
  { type = "dense", units = 10 },
]
)")
                         .runs.at(0);
    const storage::KerasModel model = model_of(run);
    CHECK(model.is_functional());
    CHECK_FALSE(model_of(small_run(kSoftmax)).is_functional());
    // Keras 2's JSON.
    const auto json = nlohmann::json::parse(storage::model_config_json(model));
    CHECK(json["class_name"] == "Functional");
    const auto& layers = json["config"]["layers"];
    CHECK(layers[0]["inbound_nodes"] == nlohmann::json::array());
    const auto node = [](std::initializer_list<const char*> names) {
        nlohmann::json inputs = nlohmann::json::array();
        for (const char* name : names)
            inputs.push_back(nlohmann::json::array({name, 0, 0, nlohmann::json::object()}));
        return nlohmann::json::array({inputs});
    };
    CHECK(layers[1]["inbound_nodes"] == node({"input_1"}));
    CHECK(layers[3]["inbound_nodes"] == node({"conv2d_1", "conv2d"}));
    CHECK(layers[4]["inbound_nodes"] == node({"add", "input_1"}));
    CHECK(layers[4]["config"]["axis"] == 3);
    CHECK(layers[5]["class_name"] == "GlobalMaxPooling2D");
    CHECK(json["config"]["output_layers"] == nlohmann::json({{"dense", 0, 0}}));
    CHECK(json["config"]["input_layers"] == nlohmann::json({{"input_1", 0, 0}}));
}

TEST_CASE("the loss tells whether the network ends in logits", "[keras]") {
    const auto training = [](const pipeline::RunSpec& run) {
        return nlohmann::json::parse(model_of(run).training_config_json);
    };
    CHECK(training(small_run(kSoftmax))["loss"] == "sparse_categorical_crossentropy");
    CHECK(training(small_run(kLogits))["loss"]["config"]["from_logits"] == true);
    CHECK(training(small_run(kLogits +
                             ", { type = \"activation\", activation = \"softmax\" }"))["loss"] ==
          "sparse_categorical_crossentropy");
    CHECK(training(small_run(kSoftmax)).contains("loss_weights"));
}

TEST_CASE("a smoothed loss is Keras' of one-hot labels", "[keras]") {
    const auto loss = [](pipeline::RunSpec run) {
        run.config.train.label_smoothing = 0.25;
        return nlohmann::json::parse(model_of(run).training_config_json)["loss"];
    };
    const auto of_logits = loss(small_run(kLogits));
    CHECK(of_logits["class_name"] == "CategoricalCrossentropy");
    CHECK(of_logits["config"]["label_smoothing"] == 0.25);
    CHECK(of_logits["config"]["from_logits"] == true);
    CHECK(loss(small_run(kSoftmax))["config"]["from_logits"] == false);
}

TEST_CASE("each optimizer has its class and its keys", "[keras]") {
    const auto optimizer = [](const std::string& text) {
        return nlohmann::json::parse(
            model_of(small_run(kSoftmax, text)).training_config_json)["optimizer_config"];
    };
    CHECK(optimizer("\"adam\"")["class_name"] == "Adam");
    CHECK(optimizer("\"adam\"")["config"]["beta_2"] == 0.999);
    CHECK(optimizer("\"rmsprop\"")["class_name"] == "RMSprop");
    CHECK(optimizer("\"rmsprop\"")["config"]["rho"] == 0.9);
    CHECK(optimizer("{ name = \"sgd\", nesterov = true }")["config"]["nesterov"] == true);
    CHECK(optimizer("\"sgd\"")["config"]["learning_rate"] == 0.01);
    CHECK_FALSE(optimizer("\"sgd\"")["config"].contains("weight_decay"));
    CHECK(optimizer("\"adamw\"")["class_name"] == "AdamW");
    CHECK(optimizer("\"adamw\"")["config"]["weight_decay"] == 0.004);
    CHECK(optimizer("\"lion\"")["class_name"] == "Lion");
    CHECK(optimizer("\"lion\"")["config"]["learning_rate"] == 0.001);
    CHECK(optimizer("\"lion\"")["config"]["beta_2"] == 0.99);
    CHECK_FALSE(optimizer("\"lion\"")["config"].contains("epsilon"));
    CHECK(optimizer("\"adagrad\"")["class_name"] == "Adagrad");
    CHECK(optimizer("\"adagrad\"")["config"]["initial_accumulator_value"] == 0.1);
    CHECK(optimizer("{ name = \"nadam\", weight_decay = 0.5 }")["class_name"] == "Nadam");
    CHECK(optimizer("{ name = \"nadam\", weight_decay = 0.5 }")["config"]["weight_decay"] == 0.5);
    CHECK(optimizer("\"nadam\"")["config"]["beta_2"] == 0.999);
    const auto muon = optimizer("{ name = \"muon\", rms_rate = \"none\", weight_decay = 0 }");
    CHECK(muon["class_name"] == "Muon");
    CHECK(muon["config"]["ns_steps"] == 5);
    CHECK(muon["config"]["muon_b"] == -4.775);
    CHECK(muon["config"]["rms_rate"].is_null());
    CHECK(muon["config"]["weight_decay"] == 0.0);  // by default it is not
    CHECK(muon["config"]["adam_weight_decay"] == 0.004);
    const auto sgdw = optimizer("{ name = \"sgd\", weight_decay = 0.01 }");
    CHECK(sgdw["class_name"] == "SGD");
    CHECK(sgdw["config"]["weight_decay"] == 0.01);
    CHECK_FALSE(sgdw["config"].contains("global_clipnorm"));
    CHECK(optimizer("{ global_clipnorm = 1.5 }")["config"]["global_clipnorm"] == 1.5);
    for (const char* key : {"use_ema", "ema_momentum", "gradient_accumulation_steps"})
        CHECK_FALSE(sgdw["config"].contains(key));
    const auto averaged = optimizer(
        "{ use_ema = true, ema_momentum = 0.75, ema_overwrite_frequency = 9, "
        "gradient_accumulation_steps = 4 }");
    CHECK(averaged["config"]["use_ema"] == true);
    CHECK(averaged["config"]["ema_momentum"] == 0.75);
    CHECK(averaged["config"]["ema_overwrite_frequency"] == 9);
    CHECK(averaged["config"]["gradient_accumulation_steps"] == 4);
}

TEST_CASE("regularizers are Keras' L2", "[keras]") {
    const auto last_layer = [](const std::string& keys) {
        const storage::KerasModel model =
            model_of(small_run("{ type = \"dense\", units = 10" + keys + " }"));
        return nlohmann::json::parse(model.layers.back().config_json);
    };
    CHECK_FALSE(last_layer("").contains("kernel_regularizer"));
    const auto regularizer =
        last_layer(", kernel_regularizer = { l2 = 0.5 }")["kernel_regularizer"];
    CHECK(regularizer["class_name"] == "L2");
    CHECK(regularizer["config"]["l2"] == 0.5);
}

TEST_CASE("the summary has Keras' columns and totals", "[keras]") {
    const std::string summary = pipeline::model_summary("small", small_run(kSoftmax).architecture);
    // conv 2*3*3*4+4 = 76; BN 16; BN of 1024: 4096; dense 10250
    CHECK(contains(summary, "Model: \"small\""));
    CHECK(contains(summary, "Layer (type)"));
    CHECK(contains(summary, "max_pooling2d (MaxPooling2D)"));
    CHECK(contains(summary, "(None, 16, 16, 4)"));
    CHECK(contains(summary, "Total params: 14,438 (56.40 KB)"));
    CHECK(contains(summary, "Trainable params: 12,382"));
    CHECK(contains(summary, "Non-trainable params: 2,056"));
}

TEST_CASE("thousands are set apart", "[keras]") {
    CHECK(reports::thousands(0) == "0");
    CHECK(reports::thousands(999) == "999");
    CHECK(reports::thousands(1000) == "1,000");
    CHECK(reports::thousands(-123456) == "-123,456");
    CHECK(reports::thousands(9223372036854775807) == "9,223,372,036,854,775,807");
}
