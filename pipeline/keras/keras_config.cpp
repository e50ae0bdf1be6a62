#include "pipeline/keras/keras_config.hpp"

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pipeline/settings/words.hpp"

namespace lockstep::pipeline {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kInputLayer = "input_1";

void add_regularizer(double l2, Json& json) {
    if (l2 == 0.0) return;
    json["kernel_regularizer"] = {{"class_name", "L2"}, {"config", {{"l2", l2}}}};
}

// One overload per kind: what follows name, trainable and dtype in the layer's config.

void add_keys(const trainer::Conv2dConfig& conv, const trainer::LayerShape&, Json& json) {
    json["filters"] = conv.filters;
    json["kernel_size"] = conv.kernel_size;
    json["strides"] = conv.strides;
    json["padding"] = word_of(conv.padding);
    json["data_format"] = "channels_last";
    json["activation"] = word_of(conv.activation);
    json["use_bias"] = conv.use_bias;
    add_regularizer(conv.kernel_l2, json);
}

void add_keys(const trainer::PoolingConfig& pooling, const trainer::LayerShape&, Json& json) {
    json["pool_size"] = pooling.pool_size;
    json["padding"] = word_of(pooling.padding);
    json["strides"] = pooling.strides;
    json["data_format"] = "channels_last";
}

void add_keys(const trainer::BatchNormalizationConfig& norm, const trainer::LayerShape& shape,
              Json& json) {
    json["axis"] = Json::array({shape.input.is_flat ? 1 : 3});
    json["momentum"] = norm.momentum;
    json["epsilon"] = norm.epsilon;
    json["center"] = true;
    json["scale"] = true;
}

void add_keys(const trainer::DropoutConfig& dropout, const trainer::LayerShape&, Json& json) {
    json["rate"] = dropout.rate;
}

void add_keys(const trainer::FlattenConfig&, const trainer::LayerShape&, Json& json) {
    json["data_format"] = "channels_last";
}

void add_keys(const trainer::GlobalPoolingConfig&, const trainer::LayerShape&, Json& json) {
    json["data_format"] = "channels_last";
    json["keepdims"] = false;
}

void add_keys(const trainer::MergeConfig& merge, const trainer::LayerShape& shape, Json& json) {
    if (merge.kind == trainer::MergeKind::concatenate) json["axis"] = shape.input.is_flat ? 1 : 3;
}

void add_keys(const trainer::DenseConfig& dense, const trainer::LayerShape&, Json& json) {
    json["units"] = dense.units;
    json["activation"] = word_of(dense.activation);
    json["use_bias"] = dense.use_bias;
    add_regularizer(dense.kernel_l2, json);
}

void add_keys(const trainer::ActivationConfig& activation, const trainer::LayerShape&, Json& json) {
    json["activation"] = word_of(activation.activation);
}

storage::KerasLayer input_layer(const trainer::Shape& shape) {
    Json batch_shape = Json::array({nullptr});
    if (!shape.is_flat) {
        batch_shape.push_back(shape.height);
        batch_shape.push_back(shape.width);
    }
    batch_shape.push_back(shape.channels);
    const Json config{{"batch_input_shape", batch_shape},
                      {"dtype", "float32"},
                      {"sparse", false},
                      {"ragged", false},
                      {"name", kInputLayer}};
    return {std::string(kInputLayer), "InputLayer", config.dump()};
}

std::vector<std::int64_t> extents_of(const trainer::Shape& shape) {
    if (shape.is_flat) return {shape.channels};
    return {shape.height, shape.width, shape.channels};
}

// Who reads whom, of a network that is no chain.
void connect(storage::KerasModel& model, const trainer::Architecture& architecture) {
    model.layers.front().output_shape = extents_of(architecture.input);
    for (std::size_t i = 0; i < architecture.layers.size(); ++i) {
        storage::KerasLayer& layer = model.layers[i + 1];
        layer.output_shape = extents_of(architecture.layers[i].output);
        for (const trainer::ValueNumber source : architecture.layers[i].sources)
            layer.inputs.push_back(model.layers[source].name);
    }
}

storage::KerasLayer layer_of(const trainer::LayerConfig& layer, const trainer::LayerShape& shape) {
    Json config{{"name", layer.name}, {"trainable", true}, {"dtype", "float32"}};
    std::visit([&](const auto& kind) { add_keys(kind, shape, config); }, layer.kind);
    return {layer.name, shape.class_name, config.dump()};
}

// Sparse labels can not be smoothed in Keras: the smoothed loss takes one-hot ones.
Json smoothed_loss_of(const trainer::RunConfig& config) {
    const Json loss_config{{"from_logits", !ends_in_softmax(config)},
                           {"label_smoothing", config.train.label_smoothing},
                           {"name", "categorical_crossentropy"},
                           {"reduction", "sum_over_batch_size"}};
    return {{"class_name", "CategoricalCrossentropy"}, {"config", loss_config}};
}

Json loss_of(const trainer::RunConfig& config) {
    if (config.train.label_smoothing > 0.0) return smoothed_loss_of(config);
    constexpr const char* kName = "sparse_categorical_crossentropy";
    if (ends_in_softmax(config)) return kName;
    const Json loss_config{
        {"from_logits", true}, {"name", kName}, {"reduction", "sum_over_batch_size"}};
    return {{"class_name", "SparseCategoricalCrossentropy"}, {"config", loss_config}};
}

Json optimizer_of(const trainer::OptimizerConfig& optimizer) {
    Json config{{"name", optimizer_word(optimizer)}, {"learning_rate", optimizer.learning_rate}};
    std::string class_name;
    if (const auto* sgd = std::get_if<trainer::SgdConfig>(&optimizer.rule)) {
        class_name = "SGD";
        config["momentum"] = sgd->momentum;
        config["nesterov"] = sgd->nesterov;
    }
    if (const auto* adam = std::get_if<trainer::AdamConfig>(&optimizer.rule)) {
        class_name = optimizer.weight_decay > 0.0 ? "AdamW" : "Adam";
        config["beta_1"] = adam->beta_1;
        config["beta_2"] = adam->beta_2;
        config["epsilon"] = adam->epsilon;
        config["amsgrad"] = false;
    }
    if (const auto* rmsprop = std::get_if<trainer::RmspropConfig>(&optimizer.rule)) {
        class_name = "RMSprop";
        config["rho"] = rmsprop->rho;
        config["momentum"] = rmsprop->momentum;
        config["epsilon"] = rmsprop->epsilon;
        config["centered"] = false;
    }
    if (optimizer.weight_decay > 0.0) config["weight_decay"] = optimizer.weight_decay;
    if (optimizer.global_clipnorm) config["global_clipnorm"] = *optimizer.global_clipnorm;
    return {{"class_name", class_name}, {"config", config}};
}

Json training_config(const trainer::RunConfig& config) {
    return {{"loss", loss_of(config)},
            {"metrics", Json::array({"accuracy"})},
            {"weighted_metrics", nullptr},
            {"loss_weights", nullptr},
            {"optimizer_config", optimizer_of(config.train.optimizer)}};
}

}  // namespace

bool ends_in_softmax(const trainer::RunConfig& config) {
    if (config.layers.empty()) return false;
    const auto is_softmax = [](const auto& kind) {
        if constexpr (requires { kind.activation; }) {
            return kind.activation == trainer::Activation::softmax;
        }
        return false;
    };
    return std::visit(is_softmax, config.layers.back().kind);
}

storage::KerasModel keras_model(const trainer::RunConfig& config,
                                const trainer::Architecture& architecture) {
    storage::KerasModel model;
    model.name = config.name;
    model.layers.push_back(input_layer(architecture.input));
    for (std::size_t i = 0; i < config.layers.size(); ++i) {
        model.layers.push_back(layer_of(config.layers[i], architecture.layers.at(i)));
    }
    if (!architecture.is_chain()) connect(model, architecture);
    model.training_config_json = training_config(config).dump();
    return model;
}

}  // namespace lockstep::pipeline
