#include "pipeline/keras/imported_experiment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>
#include <variant>
#include <vector>

#include "pipeline/layers/layer_settings_text.hpp"
#include "pipeline/settings/value_text.hpp"
#include "storage/weights/keras_names.hpp"

namespace lockstep::pipeline {
namespace {

using Json = nlohmann::ordered_json;

struct KnownImages {
    int height, width, channels, classes;
    std::string_view dataset;
};
constexpr std::array<KnownImages, 3> kImages{
    {{32, 32, 3, 100, "cifar100"}, {28, 28, 1, 10, "fashion_mnist"}, {32, 32, 3, 10, "cifar10"}}};

const KnownImages* known_images(const trainer::Shape& input, int classes) {
    const auto images = std::ranges::find_if(kImages, [&](const KnownImages& known) {
        return known.height == input.height && known.width == input.width &&
               known.channels == input.channels && known.classes == classes;
    });
    return images == kImages.end() ? nullptr : &*images;
}

std::string_view guessed_dataset(const trainer::Shape& input, int classes) {
    const KnownImages* images = known_images(input, classes);
    return images == nullptr ? "cifar10" : images->dataset;
}

// A word of ours, of whatever letters Keras allows.
std::string run_name(const std::string& keras_name) {
    std::string name = keras_name.substr(0, 40);
    for (char& letter : name)
        if (std::isalnum(static_cast<unsigned char>(letter)) == 0 && letter != '_') letter = '-';
    return name.empty() || name.front() == '-' ? "model" + name : name;
}

// Whether a 0 says something: elsewhere it stands for none.
bool is_known_zero(std::string_view key) {
    return key.starts_with("beta_") || key == "initial_accumulator_value" || key == "ema_momentum";
}

// `optimizer = { ... }` of what we know of it; nothing where that is nothing.
std::string optimizer_line(const std::string& training_json) {
    const Json training = Json::parse(training_json, nullptr, false);
    if (!training.is_object()) return {};
    const Json optimizer =
        training.value("optimizer", training.value("optimizer_config", Json::object()));
    if (!optimizer.is_object() || !optimizer.contains("class_name")) return {};
    const std::string word = storage::snake_case(optimizer.at("class_name").get<std::string>());
    const std::string name = word == "rm_sprop" ? "rmsprop" : word == "adam_w" ? "adamw" : word;
    constexpr std::array<std::string_view, 7> kKnown{"sgd",  "adam",    "adamw", "rmsprop",
                                                     "lion", "adagrad", "nadam"};
    if (std::ranges::find(kKnown, name) == kKnown.end()) return {};
    std::vector<std::string> settings{fmt::format("name = {}", text_of(name))};
    const Json config = optimizer.value("config", Json::object());
    std::vector<std::string_view> keys{"learning_rate", "weight_decay", "global_clipnorm",
                                       "gradient_accumulation_steps"};
    if (config.value("use_ema", false))
        keys.insert(keys.end(), {"use_ema", "ema_momentum", "ema_overwrite_frequency"});
    if (name == "sgd") keys.insert(keys.end(), {"momentum", "nesterov"});
    if (name.starts_with("adam") || name == "nadam")
        keys.insert(keys.end(), {"beta_1", "beta_2", "epsilon"});
    if (name == "lion") keys.insert(keys.end(), {"beta_1", "beta_2"});
    if (name == "adagrad") keys.insert(keys.end(), {"initial_accumulator_value", "epsilon"});
    if (name == "rmsprop") keys.insert(keys.end(), {"rho", "momentum", "epsilon"});
    for (const std::string_view key : keys) {
        const auto value = config.find(std::string(key));
        if (value == config.end()) continue;
        if (value->is_boolean()) settings.push_back(fmt::format("{} = {}", key, value->dump()));
        // Keras keeps float32 as it is: 0.001 is 0.0010000000474974513 there.
        if (value->is_number() && (value->get<double>() != 0.0 || is_known_zero(key)))
            settings.push_back(fmt::format("{} = {}", key, value->get<float>()));
    }
    return fmt::format("optimizer = {{ {} }}\n", fmt::join(settings, ", "));
}

// A network that begins by making small numbers of bytes takes them as they are.
bool takes_bytes(const KerasNetwork& network) {
    constexpr double kOfBytes = 0.01;  // 1 / 255, 1 / 127.5, ...
    const auto* rescaling = network.layers.empty()
                                ? nullptr
                                : std::get_if<trainer::RescalingConfig>(&network.layers[0].kind);
    return rescaling != nullptr && std::abs(rescaling->scale) < kOfBytes;
}

std::string layer_line(const KerasNetwork& network, const trainer::LayerConfig& layer) {
    std::string line = fmt::format("  {{ type = {}, name = {}", text_of(type_of(layer.kind).word),
                                   text_of(layer.name));
    std::vector<std::string> inputs;
    for (const trainer::ValueNumber source : layer.sources)
        inputs.push_back(source == 0 ? std::string(kNetworkInput)
                                     : network.layers[source - 1].name);
    if (!inputs.empty()) line += fmt::format(", inputs = {}", text_of(inputs));
    for (const KeyText& setting : written_settings_of(layer.kind))
        line += fmt::format(", {} = {}", setting.key, setting.text);
    if (!layer.trainable) line += ", trainable = false";
    return line + " },\n";
}

}  // namespace

bool has_known_images(const KerasNetwork& network, int classes) {
    return known_images(network.input, classes) != nullptr;
}

int classes_of(const KerasNetwork& network) {
    for (auto layer = network.layers.rbegin(); layer != network.layers.rend(); ++layer) {
        if (const auto* dense = std::get_if<trainer::DenseConfig>(&layer->kind))
            return dense->units;
        if (const auto* conv = std::get_if<trainer::Conv2dConfig>(&layer->kind))
            return conv->filters;
    }
    return 0;
}

std::string imported_toml(const KerasNetwork& network, int classes,
                          const ImportedExperiment& import) {
    const std::string name = run_name(network.name);
    std::string toml = fmt::format(
        "# {} as an experiment. A model does not say which images it is for, nor how their pixels\n"
        "# are scaled: look at [data] before you train.\n"
        "schema = 1\n\n[experiment]\nname = {}\n\n"
        "[data]\ndataset = {}  # guessed from the input {} and {} classes\n"
        "scale = {}\n{}\n[train]\n",
        import.source, text_of(name), text_of(guessed_dataset(network.input, classes)),
        trainer::to_string(network.input), classes,
        takes_bytes(network) ? "\"raw\"  # the network scales them itself"
                             : "\"unit\"  # pixels / 255",
        import.class_names.empty() ? ""
                                   : fmt::format("classes = {}\n", text_of(import.class_names)));
    if (!import.initial_weights.empty())
        toml += fmt::format("initial_weights = {}\n", text_of(import.initial_weights));
    if (!import.training_json.empty()) toml += optimizer_line(import.training_json);
    toml += fmt::format("\n[[run]]\nname = {}\nlayers = [\n", text_of(name));
    for (const trainer::LayerConfig& layer : network.layers) toml += layer_line(network, layer);
    return toml + "]\n";
}

}  // namespace lockstep::pipeline
