#include "pipeline/layers/layer_keys.hpp"

#include <variant>

namespace lockstep::pipeline {
namespace {

constexpr WholeRange kWidths{1, 65'536};  // filters, units
constexpr WholeRange kSizes{1, 1024};     // of a window, in pixels
constexpr WholeRange kBorders{0, 1024};
constexpr RealRange kFractions{0.0, 1.0, true, false};
constexpr RealRange kEpsilons{0.0, 1.0, false, true};
constexpr RealRange kAnyNumber{-1e6, 1e6};
constexpr RealRange kPositive{0.0, 1e6, false, true};
constexpr RealRange kImages{1.0, 1e6};  // whole numbers: infer_shapes() sees to it

constexpr Presence kRequired = Presence::required;
constexpr Presence kOptional = Presence::optional;

// Both ends of what all convolutions have.
void visit_windows(auto& config, KeyVisitor& v) {
    v.pair({"kernel_size", kRequired}, config.kernel_size, kSizes);
    v.pair({"strides"}, config.strides, kSizes);
    v.choice({"padding"}, config.padding, kPaddings);
}
void visit_output(auto& config, KeyVisitor& v) {
    v.choice({"activation"}, config.activation, kActivations);
    v.truth({"use_bias"}, config.use_bias);
}

// One overload per kind.

void visit(trainer::Conv2dConfig& conv, KeyVisitor& v) {
    v.whole({"filters", kRequired}, conv.filters, kWidths);
    visit_windows(conv, v);
    visit_output(conv, v);
    v.initializer({"kernel_initializer"}, conv.kernel_initializer);
    v.l2({"kernel_regularizer", kOptional}, conv.kernel_l2);
    v.pair({"dilation_rate", kOptional}, conv.dilation_rate, kSizes);
    v.whole({"groups", kOptional}, conv.groups, kWidths);
    v.initializer({"bias_initializer", kOptional}, conv.bias_initializer);
    v.l2({"bias_regularizer", kOptional}, conv.bias_l2);
}

void visit(trainer::DepthwiseConv2dConfig& conv, KeyVisitor& v) {
    visit_windows(conv, v);
    v.whole({"depth_multiplier"}, conv.depth_multiplier, kSizes);
    visit_output(conv, v);
    v.initializer({"depthwise_initializer"}, conv.depthwise_initializer);
    v.l2({"depthwise_regularizer", kOptional}, conv.depthwise_l2);
    v.pair({"dilation_rate", kOptional}, conv.dilation_rate, kSizes);
    v.initializer({"bias_initializer", kOptional}, conv.bias_initializer);
    v.l2({"bias_regularizer", kOptional}, conv.bias_l2);
}

void visit(trainer::SeparableConv2dConfig& conv, KeyVisitor& v) {
    v.whole({"filters", kRequired}, conv.filters, kWidths);
    visit_windows(conv, v);
    v.whole({"depth_multiplier"}, conv.depth_multiplier, kSizes);
    visit_output(conv, v);
    v.initializer({"depthwise_initializer"}, conv.depthwise_initializer);
    v.initializer({"pointwise_initializer"}, conv.pointwise_initializer);
    v.l2({"depthwise_regularizer", kOptional}, conv.depthwise_l2);
    v.l2({"pointwise_regularizer", kOptional}, conv.pointwise_l2);
    v.pair({"dilation_rate", kOptional}, conv.dilation_rate, kSizes);
    v.initializer({"bias_initializer", kOptional}, conv.bias_initializer);
    v.l2({"bias_regularizer", kOptional}, conv.bias_l2);
}

void visit(trainer::PoolingConfig& pooling, KeyVisitor& v) {
    v.pair({"pool_size"}, pooling.pool_size, kSizes);
    v.pair_like({"strides"}, pooling.strides, pooling.pool_size, kSizes);
    v.choice({"padding"}, pooling.padding, kPaddings);
}

void visit(trainer::GlobalPoolingConfig& pooling, KeyVisitor& v) {
    v.truth({"keepdims", kOptional}, pooling.keepdims);
}

void visit_affine(auto& norm, KeyVisitor& v) {
    v.truth({"center", kOptional}, norm.center);
    v.truth({"scale", kOptional}, norm.scale);
    v.initializer({"beta_initializer", kOptional}, norm.beta_initializer);
    v.initializer({"gamma_initializer", kOptional}, norm.gamma_initializer);
    v.l2({"beta_regularizer", kOptional}, norm.beta_l2);
    v.l2({"gamma_regularizer", kOptional}, norm.gamma_l2);
}

void visit(trainer::BatchNormalizationConfig& norm, KeyVisitor& v) {
    v.real({"momentum"}, norm.momentum, kFractions);
    v.real({"epsilon"}, norm.epsilon, kEpsilons);
    visit_affine(norm, v);
}

void visit(trainer::LayerNormalizationConfig& norm, KeyVisitor& v) {
    v.real({"epsilon"}, norm.epsilon, kEpsilons);
    visit_affine(norm, v);
}

void visit(trainer::DropoutConfig& dropout, KeyVisitor& v) {
    v.rate({"rate", kRequired}, dropout.rate);
}

void visit(trainer::DenseConfig& dense, KeyVisitor& v) {
    v.whole({"units", kRequired}, dense.units, kWidths);
    visit_output(dense, v);
    v.initializer({"kernel_initializer"}, dense.kernel_initializer);
    v.l2({"kernel_regularizer", kOptional}, dense.kernel_l2);
    v.initializer({"bias_initializer", kOptional}, dense.bias_initializer);
    v.l2({"bias_regularizer", kOptional}, dense.bias_l2);
}

void visit(trainer::ActivationConfig& activation, KeyVisitor& v) {
    v.choice({"activation", kRequired}, activation.activation, kActivations);
}

void visit(trainer::ZeroPadding2dConfig& zeros, KeyVisitor& v) {
    v.borders({"padding"}, zeros.vertical, zeros.horizontal, kBorders);
}

void visit(trainer::UpSampling2dConfig& sampling, KeyVisitor& v) {
    v.pair({"size"}, sampling.size, kSizes);
    v.choice({"interpolation"}, sampling.interpolation, kInterpolations);
}

void visit(trainer::RescalingConfig& rescaling, KeyVisitor& v) {
    v.real({"scale", kRequired}, rescaling.scale, kAnyNumber);
    v.real({"offset"}, rescaling.offset, kAnyNumber);
}

void visit(trainer::FlattenConfig&, KeyVisitor&) {}
void visit(trainer::MergeConfig&, KeyVisitor&) {}

}  // namespace

void visit_keys(LayerKind& kind, KeyVisitor& visitor) {
    std::visit([&visitor](auto& config) { visit(config, visitor); }, kind);
}

void visit_arguments(trainer::InitializerConfig& initializer, const ArgumentVisitor& visit) {
    using enum trainer::Initializer;
    switch (initializer.kind) {
        case random_normal:
        case truncated_normal:
            visit("mean", initializer.mean, kAnyNumber);
            visit("stddev", initializer.stddev, kPositive);
            break;
        case random_uniform:
            visit("minval", initializer.minval, kAnyNumber);
            visit("maxval", initializer.maxval, kAnyNumber);
            break;
        case orthogonal:
        case identity:
            visit("gain", initializer.gain, kAnyNumber);
            break;
        case constant:
            visit("value", initializer.value, kAnyNumber);
            break;
        case patch_whitening:
            visit("images", initializer.images, kImages);
            visit("epsilon", initializer.epsilon, kEpsilons);
            break;
        default:
            break;
    }
}

}  // namespace lockstep::pipeline
