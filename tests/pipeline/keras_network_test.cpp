// Models in the JSON that Keras writes, whose networks compute something else there than their
// layers seem to say: axes, calls, ends; and what no Keras has written.

#include "pipeline/keras/keras_network.hpp"

#include <string>

#include "pipeline/exporting/imported_network.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "tests/pipeline/keras_models.hpp"
#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep;
using namespace lockstep::tests;
using pipeline::KerasNetwork;

namespace {

// What is wrong with it; "" where it is read.
std::string message_of(const std::string& json) {
    storage::ModelFile file;
    file.model_config_json = json;
    try {
        pipeline::imported_network(file, "m.h5");
    } catch (const pipeline::Failure& failure) {
        CHECK(failure.exit_code() == pipeline::kExitBadData);
        return failure.what();
    }
    return {};
}

int classes_in(const std::string& json) {
    storage::ModelFile file;
    file.model_config_json = json;
    return pipeline::imported_network(file, "m.h5").classes;
}

const std::string kImages =
    keras_layer("InputLayer", R"("name":"x","batch_shape":[null,8,8,16])", "[]");
const std::string kConv =
    keras_layer("Conv2D", R"("name":"c","filters":16,"kernel_size":[1,1])", keras3_call({"x"}));
const std::string kFlat = keras_layer("Flatten", R"("name":"f")", keras3_call({"cat"}));
const std::string kDense = keras_layer("Dense", R"("name":"d","units":10)", keras3_call({"f"}));

// Of the input and a convolution of it: 8 x 8 x 16 both.
std::string concatenated(const std::string& axis) {
    return functional(
        {kImages, kConv,
         keras_layer("Concatenate", R"("name":"cat","axis":)" + axis, keras3_call({"x", "c"})),
         kFlat, kDense},
        "d");
}

// A head behind one layer of images.
std::string with_head(const std::string& layer) {
    return functional(
        {kImages, layer, keras_layer("GlobalAveragePooling2D", R"("name":"g")", keras3_call({"l"})),
         keras_layer("Dense", R"("name":"d","units":10)", keras3_call({"g"}))},
        "d");
}

// Of a layer of that class, called so.
std::string called(const std::string& class_name, const std::string& settings,
                   const std::string& call) {
    return with_head(keras_layer(class_name, R"("name":"l")" + settings, call));
}

std::string ending_in(const std::vector<std::string>& layers) {
    std::vector<std::string> all{
        keras_layer("Flatten", R"("name":"f","batch_input_shape":[null,8,8,3])")};
    all.insert(all.end(), layers.begin(), layers.end());
    return sequential(all);
}

}  // namespace

// Along axis 1 Keras stacks them to 16 x 8 x 16: a flatten of it has as many values, in another
// order.
TEST_CASE("a concatenation along rows is not one of channels", "[keras_network]") {
    CHECK(message_of(concatenated("-1")).empty());
    CHECK(message_of(concatenated("3")).empty());
    for (const char* axis : {"1", "2", "-2", "0", "-3"}) {
        CAPTURE(axis);
        CHECK(contains(message_of(concatenated(axis)),
                       std::string("layer cat (Concatenate): axis = ") + axis));
    }
}

TEST_CASE("a normalization is of the channels, which are axis 3 of images and 1 of vectors",
          "[keras_network]") {
    const auto of_images = [](const std::string& axis) {
        return message_of(called("BatchNormalization", R"(,"axis":)" + axis, keras3_call({"x"})));
    };
    CHECK(of_images("-1").empty());
    CHECK(of_images("[3]").empty());
    CHECK(contains(of_images("1"), "layer l (BatchNormalization): axis = 1"));
    CHECK(contains(of_images("[1]"), "layer l (BatchNormalization): axis = 1"));
    const auto of_vectors = [](const std::string& class_name, const std::string& axis) {
        return message_of(ending_in({keras_layer(class_name, R"("name":"n","axis":)" + axis),
                                     keras_layer("Dense", R"("name":"d","units":10)")}));
    };
    for (const char* class_name : {"BatchNormalization", "LayerNormalization"}) {
        CHECK(of_vectors(class_name, "1").empty());
        CHECK(of_vectors(class_name, "[1]").empty());
        CHECK(contains(of_vectors(class_name, "[3]"), "axis = 3"));
    }
    CHECK(
        contains(message_of(called("LayerNormalization", R"(,"axis":[1,2,3])", keras3_call({"x"}))),
                 "axis = [1,2,3]"));
    const auto softmax = [](const std::string& axis) {
        return message_of(ending_in({keras_layer("Dense", R"("name":"d","units":10)"),
                                     keras_layer("Softmax", R"("name":"s","axis":)" + axis)}));
    };
    CHECK(softmax("-1").empty());
    CHECK(softmax("1").empty());
    CHECK(contains(softmax("0"), "axis = 0"));
    CHECK(contains(softmax("[1,2]"), "axis = [1,2]"));
}

// Dropout()(x, training=True) drops in predict() too, and BatchNormalization()(x, training=False)
// never takes the statistics of a batch.
TEST_CASE("the settings of a call are part of the network", "[keras_network]") {
    const auto keras3 = [](const std::string& kwargs) { return keras3_call({"x"}, kwargs); };
    const auto keras2 = [](const std::string& kwargs) { return R"([[["x",0,0,)" + kwargs + "]]]"; };
    const std::string rate = R"(,"rate":0.5)";
    for (const std::string& call :
         {keras3(R"({"training":true})"), keras2(R"({"training":true})")}) {
        CHECK(contains(message_of(called("Dropout", rate, call)),
                       "layer l (Dropout): it is called with training = true"));
        CHECK(contains(message_of(called("BatchNormalization", "", call)),
                       "layer l (BatchNormalization): it is called with training = true"));
    }
    // As Keras 3.0 writes any dropout.
    for (const std::string& call :
         {keras3(R"({"training":false})"), keras2(R"({"training":false})")}) {
        CHECK(message_of(called("Dropout", rate, call)).empty());
        CHECK(contains(message_of(called("BatchNormalization", "", call)),
                       "it is called with training = false"));
        // Which a frozen one does anyway.
        CHECK(message_of(called("BatchNormalization", R"(,"trainable":false)", call)).empty());
    }
    CHECK(message_of(called("BatchNormalization", "", keras3(R"({"mask":null})"))).empty());
    const std::string positional = R"([{"args":[)" + keras3_tensor("x") + R"(,true],"kwargs":{}}])";
    CHECK(contains(message_of(called("Dropout", rate, positional)), "an argument = true"));
}

TEST_CASE("tensors may be named arguments", "[keras_network]") {
    const std::string inputs = R"([{"args":[],"kwargs":{"inputs":[)" + keras3_tensor("x") + "," +
                               keras3_tensor("c") + "]}}]";
    CHECK(message_of(functional({kImages, kConv, keras_layer("Add", R"("name":"cat")", inputs),
                                 kFlat, kDense},
                                "d"))
              .empty());
    // A constant beside a tensor, as Keras 2 writes Add()([x, [1.0]]).
    CHECK(contains(
        message_of(functional({kImages,
                               keras_layer("Add", R"("name":"cat")",
                                           R"([[["x",0,0,{}],["_CONSTANT_VALUE",-1,[1.0],{}]]])"),
                               kFlat, kDense},
                              "d")),
        "layer cat (Add): it is called with"));
}

TEST_CASE("a circle is refused", "[keras_network]") {
    const std::string circle = message_of(functional(
        {kImages,
         keras_layer("Conv2D", R"("name":"c","filters":16,"kernel_size":1)", keras3_call({"cat"})),
         keras_layer("Add", R"("name":"cat")", keras3_call({"x", "c"})), kFlat, kDense},
        "d"));
    CHECK(contains(circle, "layer c (Conv2D): it reads cat, which reads it"));
    const std::string itself = message_of(functional(
        {kImages, keras_layer("Add", R"("name":"cat")", keras3_call({"x", "cat"})), kFlat, kDense},
        "d"));
    CHECK(contains(itself, "layer cat (Add): it reads cat"));
    const std::string nothing = message_of(
        functional({kImages, keras_layer("Flatten", R"("name":"f")", "[]"), kDense}, "d"));
    CHECK(contains(nothing, "layer f (Flatten): it reads nothing"));
}

TEST_CASE("JSON without an end to its depth or length is refused", "[keras_network]") {
    const std::string deep(100'000, '[');
    const std::string ends(100'000, ']');
    for (const std::string& call : {deep, deep + ends})
        CHECK(contains(message_of(called("Add", "", call)), "is no model of Keras"));
    CHECK(contains(message_of(deep), "is no model of Keras"));
    // Brackets in texts are no levels, whatever stands in front of a quote.
    const std::string brackets = R"("name":"\\\"[[)" + std::string(200, '{') + '"';
    CHECK(message_of(ending_in({keras_layer("Dense", R"("units":10,)" + brackets)})).empty());
    std::vector<std::string> layers{kImages};
    std::string source = "x";
    for (int i = 0; i < 100'000; ++i) {
        const std::string name = "l" + std::to_string(i);
        layers.push_back(keras_layer("Dropout", R"("rate":0.5,"name":")" + name + '"',
                                     R"([[[")" + source + R"(",0,0,{}]]])"));
        source = name;
    }
    CHECK(contains(message_of(functional(layers, source)), "has 100001 layers"));
}

// What comes out is computed here as softmax(logits); a sigmoid is a value for each class by
// itself.
TEST_CASE("a network ends in logits or in a softmax", "[keras_network]") {
    const auto dense = [](const std::string& activation) {
        return keras_layer("Dense", R"("name":"d","units":10,"activation":")" + activation + '"');
    };
    const std::string dropout = keras_layer("Dropout", R"("name":"o","rate":0.5)");
    const std::string linear = keras_layer("Activation", R"("name":"a","activation":"linear")");
    CHECK(message_of(ending_in({dense("linear")})).empty());
    CHECK(message_of(ending_in({dense("softmax")})).empty());
    CHECK(message_of(ending_in({dense("linear"), dropout})).empty());
    CHECK(message_of(ending_in({dense("relu"), keras_layer("BatchNormalization", R"("name":"b")")}))
              .empty());
    for (const std::string activation : {"sigmoid", "relu", "tanh"}) {
        CHECK(contains(message_of(ending_in({dense(activation)})),
                       "layer d: activation = \"" + activation + "\" as the last one"));
        CHECK(contains(message_of(ending_in({dense(activation), dropout, linear})), "layer d:"));
    }
    // Of which another softmax would be taken.
    CHECK(contains(message_of(ending_in({dense("softmax"), linear})), "activation = \"softmax\""));
}

TEST_CASE("a network trained here may end in any activation", "[keras_network]") {
    storage::ModelFile file;
    file.model_config_json =
        ending_in({keras_layer("Dense", R"("name":"d","units":10,"activation":"relu")")});
    file.state.emplace().values["lockstep_version"] = std::string("0.1.0");
    CHECK(pipeline::imported_network(file, "m.h5").classes == 10);
}

// The class count of a model is the length of what it gives: not of its last layer with weights.
TEST_CASE("classes are counted at the end of the network", "[keras_network]") {
    CHECK(classes_in(functional(
              {kImages,
               keras_layer("Conv2D", R"("name":"c","filters":32,"kernel_size":3)",
                           keras3_call({"x"})),
               keras_layer("SeparableConv2D", R"("name":"s","filters":10,"kernel_size":3)",
                           keras3_call({"c"})),
               keras_layer("GlobalAveragePooling2D", R"("name":"g")", keras3_call({"s"})),
               keras_layer("Softmax", R"("name":"p")", keras3_call({"g"}))},
              "p")) == 10);
    const auto five = [](const std::string& name) {
        return keras_layer("Dense", R"("units":5,"name":")" + name + '"', keras3_call({"f"}));
    };
    CHECK(classes_in(functional(
              {kImages, keras_layer("Flatten", R"("name":"f")", keras3_call({"x"})), five("a"),
               five("b"),
               keras_layer("Concatenate", R"("name":"ab","axis":1)", keras3_call({"a", "b"}))},
              "ab")) == 10);
    CHECK(contains(message_of(functional({kImages, kConv}, "c")), "ends in an image"));
}

// As tf-keras' get_config() has them: a base class gives them the keys of a Conv2D.
TEST_CASE("depthwise and separable convolutions of Keras 2", "[keras_network]") {
    const std::string shared =
        R"("name":"l","trainable":true,"dtype":"float32","kernel_size":[3,3],"strides":[1,1],)"
        R"("padding":"same","data_format":"channels_last","dilation_rate":[1,1],"groups":GROUPS,)"
        R"("activation":"linear","use_bias":false,)"
        R"("bias_initializer":{"class_name":"Zeros","config":{}},)"
        R"("bias_regularizer":null,"activity_regularizer":null,"bias_constraint":null,)"
        R"("depth_multiplier":1,)"
        R"("depthwise_initializer":{"class_name":"GlorotUniform","config":{"seed":null}},)"
        R"("depthwise_regularizer":null,"depthwise_constraint":null)";
    const std::string of_separable =
        R"(,"filters":16,"kernel_initializer":{"class_name":"GlorotUniform","config":{"seed":null}},)"
        R"("kernel_regularizer":null,"kernel_constraint":null,)"
        R"("pointwise_initializer":{"class_name":"GlorotUniform","config":{"seed":null}},)"
        R"("pointwise_regularizer":null,"pointwise_constraint":null)";
    const auto message = [&](const std::string& class_name, const std::string& groups) {
        std::string config = shared;
        config.replace(config.find("GROUPS"), 6, groups);
        if (class_name == "SeparableConv2D") config += of_separable;
        return message_of(with_head(keras_layer(class_name, config, R"([[["x",0,0,{}]]])")));
    };
    for (const std::string class_name : {"DepthwiseConv2D", "SeparableConv2D"}) {
        CHECK(message(class_name, "1").empty());
        CHECK(contains(message(class_name, "2"), "groups = 2"));
    }
}
