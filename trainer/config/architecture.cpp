#include "trainer/config/architecture.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <utility>
#include <variant>

#include "trainer/config/layer_shapes.hpp"
#include "trainer/config/limits.hpp"

namespace lockstep::trainer {
namespace {

// A flatten moves nothing, so the padding of its image stays, up to the next dense layer. Vectors
// that several layers share, or are made of several, lie without it.
std::int64_t padded_output(const LayerConfig& config, const LayerShape& layer) {
    if (std::holds_alternative<GlobalPoolingConfig>(config.kind))
        return padded_values({1, 1, layer.output.channels, false});
    const bool makes_values = !layer.output.is_flat ||
                              std::holds_alternative<DenseConfig>(config.kind) ||
                              std::holds_alternative<MergeConfig>(config.kind);
    return makes_values ? padded_values(layer.output) : layer.padded_input;
}

// Shapes of layers one after another, each from those of the values so far.
class Inference {
public:
    Inference(std::span<const LayerConfig> layers, const Shape& input)
        : layers_(layers),
          architecture_{input, {}},
          values_{input},
          padded_{input.size()} {}  // images of a data set are not padded

    Architecture run() && {
        for (std::size_t i = 0; i < layers_.size(); ++i) add(i);
        return std::move(architecture_);
    }

private:
    void add(std::size_t number) {
        const LayerConfig& config = layers_[number];
        LayerShape layer;
        layer.name = config.name;
        layer.sources = sources_of(layers_, number);
        for (const ValueNumber source : layer.sources) layer.inputs.push_back(values_.at(source));
        layer.input = layer.inputs.front();
        layer.padded_input = padded_.at(layer.sources.front());
        try {
            infer_layer(config, layer);
        } catch (const Misfit& misfit) {
            const char* what = layer.inputs.size() > 1 ? "inputs" : "input";
            throw ShapeError(
                fmt::format("layer \"{}\" cannot take its {} {}: {}", config.name, what,
                            fmt::join(texts_of(layer.inputs), ", "), misfit.reason),
                number, architecture_);
        }
        values_.push_back(layer.output);
        padded_.push_back(padded_output(config, layer));
        architecture_.layers.push_back(std::move(layer));
    }
    static std::vector<std::string> texts_of(const std::vector<Shape>& shapes) {
        std::vector<std::string> texts;
        for (const Shape& shape : shapes) texts.push_back(to_string(shape));
        return texts;
    }

    std::span<const LayerConfig> layers_;
    Architecture architecture_;
    std::vector<Shape> values_;
    std::vector<std::int64_t> padded_;  // by value: LayerShape::padded_input
};

void check_all_are_read(const Architecture& architecture) {
    std::vector<bool> is_read(architecture.layers.size() + 1, false);
    for (const LayerShape& layer : architecture.layers)
        for (const ValueNumber source : layer.sources) is_read[source] = true;
    for (std::size_t i = 0; i + 1 < architecture.layers.size(); ++i)
        if (!is_read[i + 1])
            throw ShapeError(fmt::format("no layer reads layer \"{}\": name it in another layer's "
                                         "inputs, or leave it out",
                                         architecture.layers[i].name),
                             i, architecture);
}

void check_end(std::span<const LayerConfig> layers, const Architecture& architecture, int classes) {
    const Shape output = architecture.output();
    if (output.is_flat && output.channels == classes) return;
    const std::string name = layers.back().name;
    throw ShapeError(
        output.is_flat
            ? fmt::format("layer \"{}\": the network ends in {} values, but there are {} classes",
                          name, output.channels, classes)
            : fmt::format("layer \"{}\": the network ends in an image {}; it must end in a vector "
                          "of {} values, one per class: add flatten and dense layers",
                          name, to_string(output), classes),
        layers.size() - 1, architecture);
}

}  // namespace

std::string to_string(const Shape& shape) {
    if (shape.is_flat) return fmt::format("(None, {})", shape.channels);
    return fmt::format("(None, {}, {}, {})", shape.height, shape.width, shape.channels);
}

std::int64_t ParameterShape::size() const {
    std::int64_t product = 1;
    for (const std::int64_t extent : shape) product *= extent;
    return product;
}

std::int64_t LayerShape::parameter_count() const {
    std::int64_t count = 0;
    for (const ParameterShape& parameter : parameters) count += parameter.size();
    return count;
}

std::int64_t LayerShape::trainable_count() const {
    std::int64_t count = 0;
    for (const ParameterShape& parameter : parameters) {
        if (parameter.is_trainable) count += parameter.size();
    }
    return count;
}

bool Architecture::is_chain() const {
    for (std::size_t i = 0; i < layers.size(); ++i)
        if (layers[i].sources != std::vector<ValueNumber>{i}) return false;
    return true;
}

std::int64_t Architecture::parameter_count() const {
    std::int64_t count = 0;
    for (const LayerShape& layer : layers) count += layer.parameter_count();
    return count;
}

std::int64_t Architecture::trainable_count() const {
    std::int64_t count = 0;
    for (const LayerShape& layer : layers) count += layer.trainable_count();
    return count;
}

std::int64_t Architecture::flops() const {
    std::int64_t sum = 0;
    for (const LayerShape& layer : layers) sum += layer.flops;
    return sum;
}

ShapeError::ShapeError(const std::string& message, std::size_t layer_index, Architecture so_far)
    : std::runtime_error(message), layer_index_(layer_index), so_far_(std::move(so_far)) {}

Architecture infer_layers(std::span<const LayerConfig> layers, const Shape& input) {
    if (layers.empty()) throw ShapeError("the network has no layers", 0, {input, {}});
    Architecture architecture = Inference(layers, input).run();
    check_all_are_read(architecture);
    return architecture;
}

Architecture infer_shapes(std::span<const LayerConfig> layers, const Shape& input, int classes) {
    Architecture architecture = infer_layers(layers, input);
    check_end(layers, architecture, classes);
    return architecture;
}

}  // namespace lockstep::trainer
