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
// As Keras 3 computes them: leaky_relu with a slope of 0.2, elu with alpha 1, gelu exactly (by
// erf).
enum class Activation {
    linear,
    relu,
    softmax,
    relu6,
    leaky_relu,
    elu,
    gelu,
    silu,
    tanh,
    sigmoid,
    hard_swish
};
enum class Initializer {
    glorot_uniform,
    glorot_normal,
    he_uniform,
    he_normal,
    zeros,
    lecun_uniform,
    lecun_normal,
    random_uniform,
    random_normal,
    truncated_normal,
    orthogonal,
    identity,
    ones,
    constant,
    dirac,
    patch_whitening
};

// An initializer with what it takes; each reads what is its own.
struct InitializerConfig {
    Initializer kind = Initializer::glorot_uniform;
    double mean = 0.0;       // random_normal, truncated_normal
    double stddev = 0.05;    // random_normal, truncated_normal
    double minval = -0.05;   // random_uniform
    double maxval = 0.05;    // random_uniform
    double gain = 1.0;       // orthogonal, identity
    double value = 0.0;      // constant
    double images = 5000.0;  // patch_whitening: a whole number
    double epsilon = 5e-4;   // patch_whitening

    InitializerConfig(Initializer initializer = Initializer::glorot_uniform)  // NOLINT(*explicit*)
        : kind(initializer) {}
    bool operator==(const InitializerConfig&) const = default;
};

struct Conv2dConfig {
    int filters = 0;
    std::array<int, 2> kernel_size{1, 1};  // height, width
    std::array<int, 2> strides{1, 1};
    Padding padding = Padding::valid;
    Activation activation = Activation::linear;
    bool use_bias = true;
    InitializerConfig kernel_initializer = Initializer::glorot_uniform;
    double kernel_l2 = 0.0;  // of an L2 regularizer: l2 x the sum of squares is part of the loss
    std::array<int, 2> dilation_rate{1, 1};  // where one is above 1, all strides are 1
    int groups = 1;                          // divides the input's channels and the filters
    InitializerConfig bias_initializer = Initializer::zeros;
    double bias_l2 = 0.0;
};

// Every channel by itself: output channel c * depth_multiplier + m is input channel c's.
struct DepthwiseConv2dConfig {
    std::array<int, 2> kernel_size{1, 1};
    std::array<int, 2> strides{1, 1};
    Padding padding = Padding::valid;
    int depth_multiplier = 1;
    Activation activation = Activation::linear;
    bool use_bias = true;
    InitializerConfig depthwise_initializer = Initializer::glorot_uniform;
    double depthwise_l2 = 0.0;
    std::array<int, 2> dilation_rate{1, 1};
    InitializerConfig bias_initializer = Initializer::zeros;
    double bias_l2 = 0.0;
};

// A depthwise convolution, then one of 1x1 over the channels; bias and activation behind both.
struct SeparableConv2dConfig {
    int filters = 0;
    std::array<int, 2> kernel_size{1, 1};
    std::array<int, 2> strides{1, 1};
    Padding padding = Padding::valid;
    int depth_multiplier = 1;
    Activation activation = Activation::linear;
    bool use_bias = true;
    InitializerConfig depthwise_initializer = Initializer::glorot_uniform;
    InitializerConfig pointwise_initializer = Initializer::glorot_uniform;
    double depthwise_l2 = 0.0;
    double pointwise_l2 = 0.0;
    std::array<int, 2> dilation_rate{1, 1};
    InitializerConfig bias_initializer = Initializer::zeros;
    double bias_l2 = 0.0;
};

struct ZeroPadding2dConfig {
    std::array<int, 2> vertical{1, 1};    // above, below
    std::array<int, 2> horizontal{1, 1};  // left, right
};

enum class Interpolation { nearest, bilinear };  // of half-pixel centres, as Keras'

struct UpSampling2dConfig {
    std::array<int, 2> size{2, 2};
    Interpolation interpolation = Interpolation::nearest;
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
    bool center = true;  // has a beta
    bool scale = true;   // has a gamma
    InitializerConfig beta_initializer = Initializer::zeros;
    InitializerConfig gamma_initializer = Initializer::ones;
    double beta_l2 = 0.0;
    double gamma_l2 = 0.0;
};

// Of the channels of each pixel, or of all values of a vector, by their own mean and variance.
struct LayerNormalizationConfig {
    double epsilon = 1e-3;
    bool center = true;
    bool scale = true;
    InitializerConfig beta_initializer = Initializer::zeros;
    InitializerConfig gamma_initializer = Initializer::ones;
    double beta_l2 = 0.0;
    double gamma_l2 = 0.0;
};

// y = x * scale + offset.
struct RescalingConfig {
    double scale = 1.0;
    double offset = 0.0;
};

struct DropoutConfig {
    double rate = 0.0;        // fraction set to zero, in [0, 1)
    bool is_spatial = false;  // whole channels of an image
};

struct FlattenConfig {};

struct DenseConfig {
    int units = 0;
    Activation activation = Activation::linear;
    bool use_bias = true;
    InitializerConfig kernel_initializer = Initializer::glorot_uniform;
    double kernel_l2 = 0.0;  // of an L2 regularizer: l2 x the sum of squares is part of the loss
    InitializerConfig bias_initializer = Initializer::zeros;
    double bias_l2 = 0.0;
};

struct ActivationConfig {
    Activation activation = Activation::linear;
};

// One value a channel: the mean or the greatest of all pixels.
struct GlobalPoolingConfig {
    PoolingKind kind = PoolingKind::average;
    bool keepdims = false;  // an image of one pixel, not a vector
};

// Of several inputs one: element by element, or their channels one behind the other. Sums and
// products take images of one pixel for images that have that pixel everywhere.
enum class MergeKind { add, multiply, concatenate };

struct MergeConfig {
    MergeKind kind = MergeKind::add;
};

// The values of a network have numbers: 0 is its input, i + 1 what layer i makes.
using ValueNumber = std::size_t;

// A tensor of a layer that is updated in the first epochs alone; or in none.
struct TrainableEpochs {
    std::string tensor;
    int epochs = 0;
};

struct LayerConfig {
    std::string name;  // unique in its network; Keras' automatic names: conv2d, conv2d_1, ...
    std::variant<Conv2dConfig, PoolingConfig, BatchNormalizationConfig, DropoutConfig,
                 FlattenConfig, DenseConfig, ActivationConfig, GlobalPoolingConfig, MergeConfig,
                 DepthwiseConv2dConfig, SeparableConv2dConfig, ZeroPadding2dConfig,
                 UpSampling2dConfig, LayerNormalizationConfig, RescalingConfig>
        kind;
    std::vector<ValueNumber> sources{};  // of layers in front; empty: the one right in front
    // Frozen where false: its weights stay, and a batch normalization uses its moving statistics.
    bool trainable = true;
    double learning_rate_factor = 1.0;  // of the learning rate, for all of its weights
    std::vector<TrainableEpochs> trainable_epochs{};  // of some of its tensors; others: all
};

// What layer number `layer` reads.
inline std::vector<ValueNumber> sources_of(std::span<const LayerConfig> layers, std::size_t layer) {
    const std::vector<ValueNumber>& written = layers[layer].sources;
    return written.empty() ? std::vector<ValueNumber>{layer} : written;
}

}  // namespace lockstep::trainer
