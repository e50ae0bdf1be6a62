#include "pipeline/keras/keras_config.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "pipeline/keras/keras_layer_writer.hpp"
#include "pipeline/settings/optimizer_names.hpp"
#include "pipeline/settings/optimizer_settings.hpp"
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

Json json_of(const auto& setting) { return setting; }
Json json_of(const std::optional<double>& setting) { return setting ? Json(*setting) : Json(); }

// The rule's settings; of ours alone, untold_training() tells.
template <class Rule>
void write_rule(const Rule& rule, Json& config) {
    for_each_setting(rule, [&](const auto& setting) {
        if (setting.key == "exclude_convolutions") return;
        config[std::string(setting.key)] = json_of(rule.*setting.member);
    });
    if constexpr (std::is_same_v<Rule, trainer::AdamConfig>) config["amsgrad"] = false;
    if constexpr (std::is_same_v<Rule, trainer::RmspropConfig>) config["centered"] = false;
}

// Keras' class of optimizer_word().
std::string optimizer_class(std::string_view word) {
    using Class = std::pair<std::string_view, std::string_view>;
    static constexpr std::array<Class, 8> kClasses{{{"sgd", "SGD"},
                                                    {"adam", "Adam"},
                                                    {kAdamW, "AdamW"},
                                                    {"rmsprop", "RMSprop"},
                                                    {"lion", "Lion"},
                                                    {"adagrad", "Adagrad"},
                                                    {"nadam", "Nadam"},
                                                    {kMuon, "Muon"}}};
    return std::string(std::ranges::find(kClasses, word, &Class::first)->second);
}

Json optimizer_of(const trainer::OptimizerConfig& optimizer) {
    const std::string_view word = optimizer_word(optimizer);
    Json config{{"name", word}, {"learning_rate", optimizer.learning_rate}};
    std::visit([&](const auto& rule) { write_rule(rule, config); }, optimizer.rule);
    // Muon's decay too where that is none: by default Keras' is not.
    if (word == kMuon) config["weight_decay"] = optimizer.weight_decay;
    if (optimizer.weight_decay > 0.0) config["weight_decay"] = optimizer.weight_decay;
    if (optimizer.global_clipnorm) config["global_clipnorm"] = *optimizer.global_clipnorm;
    if (optimizer.gradient_accumulation_steps > 1)
        config["gradient_accumulation_steps"] = optimizer.gradient_accumulation_steps;
    if (const auto* ema = std::get_if<trainer::EmaConfig>(&optimizer.average)) {
        config["use_ema"] = true;
        config["ema_momentum"] = ema->momentum;
        if (ema->overwrite_frequency) config["ema_overwrite_frequency"] = *ema->overwrite_frequency;
    }
    return {{"class_name", optimizer_class(word)}, {"config", config}};
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
