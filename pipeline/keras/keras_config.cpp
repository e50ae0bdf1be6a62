#include "pipeline/keras/keras_config.hpp"

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pipeline/keras/keras_layer_writer.hpp"
#include "pipeline/settings/words.hpp"

namespace lockstep::pipeline {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kInputLayer = "input_1";

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
    return {layer.name, shape.class_name, keras_layer_config(layer, shape).dump()};
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

// Its decay too where that is none: by default Keras' is not.
void write_muon(const trainer::MuonConfig& muon, double weight_decay, Json& config) {
    config["adam_beta_1"] = muon.adam_beta_1;
    config["adam_beta_2"] = muon.adam_beta_2;
    config["epsilon"] = muon.epsilon;
    config["exclude_layers"] = muon.exclude_layers;
    config["muon_a"] = muon.muon_a;
    config["muon_b"] = muon.muon_b;
    config["muon_c"] = muon.muon_c;
    config["adam_lr_ratio"] = muon.adam_lr_ratio;
    config["momentum"] = muon.momentum;
    config["ns_steps"] = muon.ns_steps;
    config["nesterov"] = muon.nesterov;
    config["adam_weight_decay"] = muon.adam_weight_decay;
    config["rms_rate"] = muon.rms_rate ? Json(*muon.rms_rate) : Json(nullptr);
    config["weight_decay"] = weight_decay;
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
    if (const auto* lion = std::get_if<trainer::LionConfig>(&optimizer.rule)) {
        class_name = "Lion";
        config["beta_1"] = lion->beta_1;
        config["beta_2"] = lion->beta_2;
    }
    if (const auto* adagrad = std::get_if<trainer::AdagradConfig>(&optimizer.rule)) {
        class_name = "Adagrad";
        config["initial_accumulator_value"] = adagrad->initial_accumulator_value;
        config["epsilon"] = adagrad->epsilon;
    }
    if (const auto* nadam = std::get_if<trainer::NadamConfig>(&optimizer.rule)) {
        class_name = "Nadam";
        config["beta_1"] = nadam->beta_1;
        config["beta_2"] = nadam->beta_2;
        config["epsilon"] = nadam->epsilon;
    }
    if (const auto* muon = std::get_if<trainer::MuonConfig>(&optimizer.rule)) {
        class_name = "Muon";
        write_muon(*muon, optimizer.weight_decay, config);
    }
    if (optimizer.weight_decay > 0.0) config["weight_decay"] = optimizer.weight_decay;
    if (optimizer.global_clipnorm) config["global_clipnorm"] = *optimizer.global_clipnorm;
    if (optimizer.gradient_accumulation_steps > 1)
        config["gradient_accumulation_steps"] = optimizer.gradient_accumulation_steps;
    if (const auto* ema = std::get_if<trainer::EmaConfig>(&optimizer.average)) {
        config["use_ema"] = true;
        config["ema_momentum"] = ema->momentum;
        if (ema->overwrite_frequency) config["ema_overwrite_frequency"] = *ema->overwrite_frequency;
    }
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
