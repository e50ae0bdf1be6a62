#include "trainer/parameters/initializers.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "trainer/determinism/random.hpp"
#include "trainer/parameters/orthogonal.hpp"
#include "trainer/parameters/patch_whitening.hpp"

namespace lockstep::trainer {

namespace {

// ---- draws -------------------------------------------------------------------------------------

// The draws of one tensor, by the number of the element.
class Draws {
public:
    Draws(std::uint64_t seed, std::uint32_t layer, std::uint32_t tensor)
        : key_(random_key(seed, Purpose::initial_weights)), layer_(layer), tensor_(tensor) {}

    double uniform(std::size_t i) const {  // in [0, 1)
        const RandomWords words =
            random_words(key_, {layer_, tensor_, static_cast<std::uint32_t>(i) / 2, 0});
        const std::size_t half = i % 2 * 2;
        return uniform_double(words[half], words[half + 1]);
    }
    double normal(std::size_t i) const { return normal(i, 1); }
    // Within two deviations: drawn until it fits.
    double truncated_normal(std::size_t i) const {
        for (std::uint32_t attempt = 1;; ++attempt)
            if (const double z = normal(i, attempt); std::abs(z) <= 2.0) return z;
    }

private:
    double normal(std::size_t i, std::uint32_t attempt) const {  // Box and Muller's
        const RandomWords words =
            random_words(key_, {layer_, tensor_, static_cast<std::uint32_t>(i), attempt});
        const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform_double(words[0], words[1])));
        return radius * std::cos(2.0 * std::numbers::pi * uniform_double(words[2], words[3]));
    }

    RandomKey key_;
    std::uint32_t layer_, tensor_;
};

// ---- scaled variances --------------------------------------------------------------------------

struct Fans {
    double in = 0.0;
    double out = 0.0;
};

Fans fans_of(std::span<const std::int64_t> shape) {
    if (shape.size() == 1)
        return {static_cast<double>(shape.front()), static_cast<double>(shape.front())};
    double receptive_field = 1.0;
    for (const std::int64_t size : shape.first(shape.size() - 2))
        receptive_field *= static_cast<double>(size);
    return {receptive_field * static_cast<double>(shape[shape.size() - 2]),
            receptive_field * static_cast<double>(shape[shape.size() - 1])};
}

double variance_of(Initializer initializer, const Fans& fans) {
    switch (initializer) {
        case Initializer::glorot_uniform:
        case Initializer::glorot_normal:
            return 2.0 / (fans.in + fans.out);
        case Initializer::he_uniform:
        case Initializer::he_normal:
            return 2.0 / fans.in;
        default:
            return 1.0 / fans.in;
    }
}

template <class Value>  // value(i) in double
void fill(std::vector<float>& values, Value value) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(value(i));
}

void fill_scaled_uniform(std::vector<float>& values, double variance, const Draws& draws) {
    const double limit = std::sqrt(3.0 * variance);
    fill(values, [&](std::size_t i) { return (2.0 * draws.uniform(i) - 1.0) * limit; });
}

void fill_scaled_normal(std::vector<float>& values, double variance, const Draws& draws) {
    // The deviation of a standard normal truncated at +-2.
    const double scale = std::sqrt(variance) / .87962566103423978;
    fill(values, [&](std::size_t i) { return draws.truncated_normal(i) * scale; });
}

// ---- matrices ----------------------------------------------------------------------------------

void fill_orthogonal(std::vector<float>& values, std::size_t columns, double gain,
                     const Draws& draws) {
    const std::size_t rows = values.size() / columns;
    const std::size_t length = std::max(rows, columns), count = std::min(rows, columns);
    std::vector<double> vectors(values.size());  // [count][length]
    for (std::size_t i = 0; i < length; ++i)     // drawn as a matrix of [length][count]
        for (std::size_t j = 0; j < count; ++j)
            vectors[j * length + i] = draws.normal(i * count + j);
    make_orthonormal(vectors, length);
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t c = 0; c < columns; ++c) {
            const double value = rows < columns ? vectors[r * length + c] : vectors[c * length + r];
            values[r * columns + c] = static_cast<float>(gain * value);
        }
}

void fill_identity(std::vector<float>& values, std::size_t columns, double gain) {
    fill(values, [&](std::size_t i) { return i / columns == i % columns ? gain : 0.0; });
}

// A kernel of [height, width, in, out]. The middle is the tap that lies on the pixel itself where
// the padding is "same".
void fill_dirac(std::vector<float>& values, std::span<const std::int64_t> shape,
                const Draws& draws) {
    const auto in = static_cast<std::size_t>(shape[2]), out = static_cast<std::size_t>(shape[3]);
    const auto middle =
        static_cast<std::size_t>((shape[0] - 1) / 2 * shape[1] + (shape[1] - 1) / 2);
    const double limit = 1.0 / std::sqrt(fans_of(shape).in);
    fill(values, [&](std::size_t i) {
        const std::size_t filter = i % out, channel = i / out % in, tap = i / out / in;
        if (filter >= in) return (2.0 * draws.uniform(i) - 1.0) * limit;
        return tap == middle && channel == filter ? 1.0 : 0.0;
    });
}

}  // namespace

std::vector<float> initial_values(const InitializerConfig& initializer,
                                  std::span<const std::int64_t> shape, std::uint64_t seed,
                                  std::uint32_t layer, std::uint32_t tensor) {
    std::size_t size = 1;
    for (const std::int64_t axis : shape) size *= static_cast<std::size_t>(axis);
    const auto columns = static_cast<std::size_t>(shape.back());
    std::vector<float> values(size, 0.0F);
    const Draws draws(seed, layer, tensor);
    const double variance = variance_of(initializer.kind, fans_of(shape));
    switch (initializer.kind) {
        case Initializer::glorot_uniform:
        case Initializer::he_uniform:
        case Initializer::lecun_uniform:
            fill_scaled_uniform(values, variance, draws);
            break;
        case Initializer::glorot_normal:
        case Initializer::he_normal:
        case Initializer::lecun_normal:
            fill_scaled_normal(values, variance, draws);
            break;
        case Initializer::random_uniform:
            fill(values, [&](std::size_t i) {
                const double share = draws.uniform(i);
                return initializer.minval + share * (initializer.maxval - initializer.minval);
            });
            break;
        case Initializer::random_normal:
            fill(values, [&](std::size_t i) {
                return initializer.mean + initializer.stddev * draws.normal(i);
            });
            break;
        case Initializer::truncated_normal:
            fill(values, [&](std::size_t i) {
                return initializer.mean + initializer.stddev * draws.truncated_normal(i);
            });
            break;
        case Initializer::orthogonal:
            fill_orthogonal(values, columns, initializer.gain, draws);
            break;
        case Initializer::identity:
            fill_identity(values, columns, initializer.gain);
            break;
        case Initializer::ones:
            std::ranges::fill(values, 1.0F);
            break;
        case Initializer::constant:
            std::ranges::fill(values, static_cast<float>(initializer.value));
            break;
        case Initializer::dirac:
            fill_dirac(values, shape, draws);
            break;
        case Initializer::zeros:
        case Initializer::patch_whitening:
            break;
    }
    return values;
}

NamedTensors initial_weights(const Architecture& architecture, std::uint64_t seed) {
    NamedTensors weights;
    for (std::size_t layer = 0; layer < architecture.layers.size(); ++layer) {
        const LayerShape& shape = architecture.layers[layer];
        for (std::size_t t = 0; t < shape.parameters.size(); ++t) {
            const ParameterShape& parameter = shape.parameters[t];
            weights.push_back(
                {shape.name, parameter.name, parameter.shape,
                 initial_values(parameter.initializer, parameter.shape, seed,
                                static_cast<std::uint32_t>(layer), static_cast<std::uint32_t>(t))});
        }
    }
    return weights;
}

NamedTensors initial_weights(const Architecture& architecture, std::uint64_t seed,
                             const RunData& data) {
    NamedTensors weights = initial_weights(architecture, seed);
    std::size_t tensor = 0;
    for (const LayerShape& layer : architecture.layers)
        for (const ParameterShape& parameter : layer.parameters) {
            NamedTensor& values = weights[tensor++];
            if (parameter.initializer.kind != Initializer::patch_whitening) continue;
            const auto side = [&](std::size_t axis) {
                return static_cast<int>(parameter.shape[axis]);
            };
            values.values = patch_whitening_kernel(parameter.initializer, data.training, data.scale,
                                                   data.shape, {side(0), side(1)});
        }
    return weights;
}

}  // namespace lockstep::trainer
