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
#include "pipeline/settings/optimizer_names.hpp"
#include "pipeline/settings/value_text.hpp"
#include "pipeline/settings/words.hpp"
#include "storage/weights/keras_names.hpp"
#include "trainer/data/pixel_scale.hpp"

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

// Where no data set known here fits, images in folders can be made to.
std::string dataset_lines(const trainer::Shape& input, int classes) {
    if (const KnownImages* images = known_images(input, classes))
        return fmt::format("dataset = {}  # guessed from the input {} and {} classes\n",
                           text_of(images->dataset), trainer::to_string(input), classes);
    return fmt::format(
        "dataset = \"image_folder\"  # no data set known here has images {} and {} classes\n"
        "path = \"images\"  # a folder for each class in images/train and images/test\n"
        "image_size = [{}, {}]\ncolor_mode = \"{}\"\n",
        trainer::to_string(input), classes, input.height, input.width,
        input.channels == 1 ? "grayscale" : "rgb");
}

// A word of ours, of whatever letters Keras allows.
std::string run_name(const std::string& keras_name) {
    std::string name = keras_name.substr(0, 40);
    for (char& letter : name)
        if (std::isalnum(static_cast<unsigned char>(letter)) == 0 && letter != '_') letter = '-';
    return name.empty() || name.front() == '-' ? "model" + name : name;
}

// Whether a 0 says something: elsewhere it stands for none. Muon's defaults are none of them 0.
bool is_known_zero(std::string_view optimizer, std::string_view key) {
    return optimizer == kMuon || key.starts_with("beta_") || key == "initial_accumulator_value" ||
           key == "ema_momentum";
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
    const auto known = std::ranges::find(kOptimizers, std::string_view(name), &NamedKeys::name);
    if (known == kOptimizers.end()) return {};
    std::vector<std::string> settings{fmt::format("name = {}", text_of(name))};
    const Json config = optimizer.value("config", Json::object());
    const bool has_average = config.value("use_ema", false);
    for (const std::string_view key : keys_of(known->keys).keys) {
        const bool is_of_average = key == "use_ema" || key.starts_with("ema_");
        if (is_of_average && !has_average) continue;
        const auto value = config.find(std::string(key));
        if (value == config.end()) continue;
        if (value->is_boolean()) settings.push_back(fmt::format("{} = {}", key, value->dump()));
        if (value->is_null() && name == kMuon && key == "rms_rate")
            settings.push_back("rms_rate = \"none\"");
        if (value->is_null() && name == kMuon && key.ends_with("weight_decay"))
            settings.push_back(fmt::format("{} = 0", key));
        if (value->is_array() && !value->empty())
            settings.push_back(
                fmt::format("{} = {}", key, text_of(value->get<std::vector<std::string>>())));
        // Keras keeps float32 as it is: 0.001 is 0.0010000000474974513 there.
        if (value->is_number() && (value->get<double>() != 0.0 || is_known_zero(name, key)))
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

struct ChosenScale {
    trainer::Scale scale;
    const char* why;
    bool is_guess = false;
};

ChosenScale scale_of(const KerasNetwork& network, const ImportedExperiment& import) {
    using trainer::Scale;
    if (!import.scale) {
        if (takes_bytes(network)) return {Scale::raw, "the network scales them itself"};
        return {Scale::unit, "guessed: pixels / 255", true};
    }
    for (const Scale scale : {Scale::raw, Scale::unit})
        if (*import.scale == trainer::pixel_scale(scale, {}, network.input))
            return {scale, "as its file says"};
    return {Scale::standard, "by the mean and deviation of its training images, as its file says"};
}

std::string head_of(const ImportedExperiment& import, bool has_guesses) {
    const char* what = has_guesses
                           ? ". A model does not say which images it is for, nor how their pixels\n"
                             "# are scaled: look at [data] before you train."
                           : ". Look at [data] before you train.";
    return fmt::format("# {} as an experiment{}\n", import.source, what);
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

std::vector<std::string> guesses_of(const KerasNetwork& network, int classes,
                                    const ImportedExperiment& import) {
    std::vector<std::string> guesses;
    const KnownImages* images = known_images(network.input, classes);
    if (import.class_names.empty() && images != nullptr)
        guesses.push_back(fmt::format("data.dataset = {}", text_of(images->dataset)));
    if (const ChosenScale scale = scale_of(network, import); scale.is_guess)
        guesses.push_back(fmt::format("data.scale = \"{}\"", word_of(scale.scale)));
    return guesses;
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
    const ChosenScale scale = scale_of(network, import);
    std::string toml = head_of(import, scale.is_guess);
    toml += fmt::format("schema = 1\n\n[experiment]\nname = {}\n\n[data]\n", text_of(name));
    toml += dataset_lines(network.input, classes);
    toml += fmt::format("scale = \"{}\"  # {}\n", word_of(scale.scale), scale.why);
    if (!import.class_names.empty())
        toml += fmt::format("classes = {}\n", text_of(import.class_names));
    toml += "\n[train]\n";
    if (!import.initial_weights.empty())
        toml += fmt::format("initial_weights = {}\n", text_of(import.initial_weights));
    if (!import.training_json.empty()) toml += optimizer_line(import.training_json);
    toml += fmt::format("\n[[run]]\nname = {}\nlayers = [\n", text_of(name));
    for (const trainer::LayerConfig& layer : network.layers) toml += layer_line(network, layer);
    return toml + "]\n";
}

}  // namespace lockstep::pipeline
