#include "pipeline/keras/imported_experiment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <string_view>
#include <variant>
#include <vector>

#include "pipeline/layers/layer_settings_text.hpp"
#include "pipeline/settings/value_text.hpp"
#include "pipeline/settings/words.hpp"
#include "trainer/data/pixel_scale.hpp"

namespace lockstep::pipeline {
namespace {

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

// A line that stays one, whatever letters a model's file has.
std::string comment(std::string text) {
    for (char& letter : text)
        if (std::iscntrl(static_cast<unsigned char>(letter)) != 0) letter = '?';
    return "# " + text + '\n';
}

std::string training_lines(const ImportedTraining& training) {
    std::string lines;
    for (const std::string& line : training.lines) lines += line + '\n';
    for (const std::string& what : training.left_out)
        lines += comment("left out, as there is no such setting here: " + what);
    return lines;
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
    const std::string head = import.source + " as an experiment. ";
    if (!has_guesses) return comment(head + "Look at [data] before you train.");
    return comment(head + "A model does not say which images it is for, nor how their pixels") +
           comment("are scaled: look at [data] before you train.");
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
    const trainer::Shape end = network.architecture.output();
    return end.is_flat ? end.channels : 0;
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
    toml += training_lines(import.training);
    toml += fmt::format("\n[[run]]\nname = {}\nlayers = [\n", text_of(name));
    for (const trainer::LayerConfig& layer : network.layers) toml += layer_line(network, layer);
    return toml + "]\n";
}

}  // namespace lockstep::pipeline
