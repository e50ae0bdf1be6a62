#include "trainer/parameters/initializers.hpp"

#include <cmath>
#include <numbers>

#include "trainer/determinism/random.hpp"

namespace lockstep::trainer {

namespace {

struct Fans {
    double in = 0.0;
    double out = 0.0;
};

Fans fans_of(std::span<const std::int64_t> shape) {
    double receptive_field = 1.0;
    for (const std::int64_t size : shape.first(shape.size() - 2))
        receptive_field *= static_cast<double>(size);
    return {receptive_field * static_cast<double>(shape[shape.size() - 2]),
            receptive_field * static_cast<double>(shape[shape.size() - 1])};
}

double variance_of(Initializer initializer, const Fans& fans) {
    const bool is_glorot =
        initializer == Initializer::glorot_uniform || initializer == Initializer::glorot_normal;
    return is_glorot ? 2.0 / (fans.in + fans.out) : 2.0 / fans.in;
}

// A standard normal number within two deviations: Box and Muller's, drawn until it fits.
double truncated_normal(RandomKey key, RandomWords counter) {
    for (counter[3] = 1;; ++counter[3]) {
        const RandomWords words = random_words(key, counter);
        const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform_double(words[0], words[1])));
        const double z =
            radius * std::cos(2.0 * std::numbers::pi * uniform_double(words[2], words[3]));
        if (std::abs(z) <= 2.0) return z;
    }
}

Initializer kernel_initializer(const LayerConfig& layer) {
    if (const auto* conv = std::get_if<Conv2dConfig>(&layer.kind)) return conv->kernel_initializer;
    if (const auto* dense = std::get_if<DenseConfig>(&layer.kind)) return dense->kernel_initializer;
    return Initializer::zeros;
}

}  // namespace

std::vector<float> initial_kernel(Initializer initializer, std::span<const std::int64_t> shape,
                                  std::uint64_t seed, std::uint32_t layer, std::uint32_t tensor) {
    std::size_t size = 1;
    for (const std::int64_t axis : shape) size *= static_cast<std::size_t>(axis);
    std::vector<float> values(size, 0.0F);
    if (initializer == Initializer::zeros) return values;

    const RandomKey key = random_key(seed, Purpose::initial_weights);
    const double variance = variance_of(initializer, fans_of(shape));
    const bool is_uniform =
        initializer == Initializer::glorot_uniform || initializer == Initializer::he_uniform;
    // .8796... is the deviation of a standard normal truncated at +-2.
    const double scale =
        is_uniform ? std::sqrt(3.0 * variance) : std::sqrt(variance) / .87962566103423978;
    for (std::size_t i = 0; i < size; ++i) {
        const auto index = static_cast<std::uint32_t>(i);
        double unit = 0.0;
        if (is_uniform) {
            const RandomWords words = random_words(key, {layer, tensor, index / 2, 0});
            const std::size_t half = i % 2 * 2;
            unit = 2.0 * uniform_double(words[half], words[half + 1]) - 1.0;
        } else {
            unit = truncated_normal(key, {layer, tensor, index, 1});
        }
        values[i] = static_cast<float>(unit * scale);
    }
    return values;
}

NamedTensors initial_weights(std::span<const LayerConfig> layers, const Architecture& architecture,
                             std::uint64_t seed) {
    NamedTensors weights;
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
        const LayerShape& shape = architecture.layers[layer];
        for (std::size_t t = 0; t < shape.parameters.size(); ++t) {
            const ParameterShape& parameter = shape.parameters[t];
            NamedTensor tensor{shape.name, parameter.name, parameter.shape, {}};
            const bool is_one = parameter.name == "gamma" || parameter.name == "moving_variance";
            if (parameter.name == "kernel")
                tensor.values = initial_kernel(kernel_initializer(layers[layer]), parameter.shape,
                                               seed, static_cast<std::uint32_t>(layer),
                                               static_cast<std::uint32_t>(t));
            else
                tensor.values.assign(static_cast<std::size_t>(parameter.size()),
                                     is_one ? 1.0F : 0.0F);
            weights.push_back(std::move(tensor));
        }
    }
    return weights;
}

}  // namespace lockstep::trainer
