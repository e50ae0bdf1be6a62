#pragma once

// The layers of a network, as plain settings. Names are Keras' own.

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace lockstep::trainer {

enum class Padding { valid, same };  // same: Keras' asymmetric "same", the odd zero at bottom/right
enum class Activation { linear, relu, softmax };
enum class Initializer { glorot_uniform, glorot_normal, he_uniform, he_normal, zeros };

struct Conv2dConfig {
    int filters = 0;
    std::array<int, 2> kernel_size{1, 1};  // height, width
    std::array<int, 2> strides{1, 1};
    Padding padding = Padding::valid;
    Activation activation = Activation::linear;
    bool use_bias = true;
    Initializer kernel_initializer = Initializer::glorot_uniform;
    double kernel_l2 = 0.0;  // of an L2 regularizer: l2 x the sum of squares is part of the loss
};

enum class PoolingKind { max, average };

struct PoolingConfig {
    PoolingKind kind = PoolingKind::max;
    std::array<int, 2> pool_size{2, 2};
    std::array<int, 2> strides{2, 2};  // the reader sets them to pool_size where absent
    Padding padding = Padding::valid;
};

struct BatchNormalizationConfig {
    double momentum = 0.99;  // weight of the old moving value
    double epsilon = 1e-3;
};

struct DropoutConfig {
    double rate = 0.0;  // fraction set to zero, in [0, 1)
};

struct FlattenConfig {};

struct DenseConfig {
    int units = 0;
    Activation activation = Activation::linear;
    bool use_bias = true;
    Initializer kernel_initializer = Initializer::glorot_uniform;
    double kernel_l2 = 0.0;  // of an L2 regularizer: l2 x the sum of squares is part of the loss
};

struct ActivationConfig {
    Activation activation = Activation::linear;
};

// One value a channel: the mean or the greatest of all pixels.
struct GlobalPoolingConfig {
    PoolingKind kind = PoolingKind::average;
};

// Of several inputs one: element by element, or their channels one behind the other.
enum class MergeKind { add, multiply, concatenate };

struct MergeConfig {
    MergeKind kind = MergeKind::add;
};

// The values of a network have numbers: 0 is its input, i + 1 what layer i makes.
using ValueNumber = std::size_t;

struct LayerConfig {
    std::string name;  // unique in its network; Keras' automatic names: conv2d, conv2d_1, ...
    std::variant<Conv2dConfig, PoolingConfig, BatchNormalizationConfig, DropoutConfig,
                 FlattenConfig, DenseConfig, ActivationConfig, GlobalPoolingConfig, MergeConfig>
        kind;
    std::vector<ValueNumber> sources{};  // of layers in front; empty: the one right in front
};

// What layer number `layer` reads.
inline std::vector<ValueNumber> sources_of(std::span<const LayerConfig> layers, std::size_t layer) {
    const std::vector<ValueNumber>& written = layers[layer].sources;
    return written.empty() ? std::vector<ValueNumber>{layer} : written;
}

}  // namespace lockstep::trainer
