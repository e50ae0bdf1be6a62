#include "tests/support/plain_network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <variant>

#include "tests/support/plain_activation.hpp"

namespace lockstep::tests {

using namespace lockstep::trainer;

namespace {

std::size_t at(const Shape& shape, int sample, int h, int w, int c) {
    return static_cast<std::size_t>(
        ((sample * shape.height + h) * shape.width + w) * shape.channels + c);
}

// Zeros in front of an axis, from Keras' rule: as few as let ceil(size / stride) windows stand,
// the odd one behind.
int zeros_before(int size, int kernel, int stride, Padding padding) {
    if (padding == Padding::valid) return 0;
    const int windows = (size + stride - 1) / stride;
    return std::max(0, (windows - 1) * stride + kernel - size) / 2;
}

// Calls visit(h, w, row in the window, column in the window) for the pixels of a window that are
// not padding. Neighbours in the window are dilation_rate pixels apart.
template <class Config, class Visit>
void for_each_pixel(const Config& config, std::array<int, 2> window, const LayerShape& shape,
                    int oh, int ow, Visit visit) {
    std::array<int, 2> rate{1, 1};
    if constexpr (requires { config.dilation_rate; }) rate = config.dilation_rate;
    const auto first = [&](std::size_t axis, int size, int at) {
        const int reach = (window[axis] - 1) * rate[axis] + 1;
        return at * config.strides[axis] -
               zeros_before(size, reach, config.strides[axis], config.padding);
    };
    const int top = first(0, shape.input.height, oh), left = first(1, shape.input.width, ow);
    for (int i = 0; i < window[0]; ++i)
        for (int j = 0; j < window[1]; ++j) {
            const int h = top + i * rate[0], w = left + j * rate[1];
            if (h >= 0 && h < shape.input.height && w >= 0 && w < shape.input.width)
                visit(h, w, i, j);
        }
}

Values softmax(Values x, int classes) {
    const auto width = static_cast<std::size_t>(classes);
    for (std::size_t row = 0; row < x.size(); row += width) {
        const std::span<double> values = std::span(x).subspan(row, width);
        double sum = 0.0;
        for (double& value : values) sum += value = std::exp(value);
        for (double& value : values) value /= sum;
    }
    return x;
}

LayerConfig without_softmax(LayerConfig layer) {
    const auto leave_out = [](auto& kind) {
        if constexpr (requires { kind.activation; })
            if (kind.activation == Activation::softmax) kind.activation = Activation::linear;
    };
    std::visit(leave_out, layer.kind);
    return layer;
}

struct Forward {
    const LayerShape& shape;
    std::span<const Values> parameters;
    std::span<const double> src;
    int samples;
    bool is_frozen;

    Values output() const {
        return Values(static_cast<std::size_t>(shape.output.size() * samples), 0.0);
    }

    template <class Compute>  // compute(sample, h, w, c) of the output
    Values by_element(Compute compute) const {
        Values dst = output();
        std::size_t i = 0;
        for (int n = 0; n < samples; ++n)
            for (int h = 0; h < shape.output.height; ++h)
                for (int w = 0; w < shape.output.width; ++w)
                    for (int c = 0; c < shape.output.channels; ++c) dst[i++] = compute(n, h, w, c);
        return dst;
    }

    Values operator()(const Conv2dConfig& config) const {
        const int oc = shape.output.channels;
        const int ic = shape.input.channels / config.groups;  // of a group, as oc / groups
        Values dst = by_element([&](int n, int oh, int ow, int c) {
            double sum = config.use_bias ? parameters[1][static_cast<std::size_t>(c)] : 0.0;
            const int first = c / (oc / config.groups) * ic;
            for_each_pixel(
                config, config.kernel_size, shape, oh, ow, [&](int h, int w, int i, int j) {
                    const int tap = i * config.kernel_size[1] + j;
                    for (int k = 0; k < ic; ++k)
                        sum += src[at(shape.input, n, h, w, first + k)] *
                               parameters[0][static_cast<std::size_t>((tap * ic + k) * oc + c)];
                });
            return sum;
        });
        return activated(std::move(dst), config.activation);
    }

    // One value of a convolution of every channel by itself, without bias.
    template <class Config>
    double depthwise_value(const Config& config, int n, int oh, int ow, int c) const {
        const int in = shape.input.channels, multiplier = config.depth_multiplier;
        double sum = 0.0;
        for_each_pixel(config, config.kernel_size, shape, oh, ow, [&](int h, int w, int i, int j) {
            const int row = (i * config.kernel_size[1] + j) * in + c / multiplier;
            sum += src[at(shape.input, n, h, w, c / multiplier)] *
                   parameters[0][static_cast<std::size_t>(row * multiplier + c % multiplier)];
        });
        return sum;
    }

    Values operator()(const DepthwiseConv2dConfig& config) const {
        Values dst = by_element([&](int n, int oh, int ow, int c) {
            const double bias = config.use_bias ? parameters[1][static_cast<std::size_t>(c)] : 0.0;
            return bias + depthwise_value(config, n, oh, ow, c);
        });
        return activated(std::move(dst), config.activation);
    }

    Values operator()(const SeparableConv2dConfig& config) const {
        const int middle = shape.input.channels * config.depth_multiplier;
        Values dst = by_element([&](int n, int oh, int ow, int c) {
            double sum = config.use_bias ? parameters[2][static_cast<std::size_t>(c)] : 0.0;
            for (int k = 0; k < middle; ++k)
                sum += depthwise_value(config, n, oh, ow, k) *
                       parameters[1][static_cast<std::size_t>(k * config.filters + c)];
            return sum;
        });
        return activated(std::move(dst), config.activation);
    }

    Values operator()(const ZeroPadding2dConfig& config) const {
        return by_element([&](int n, int oh, int ow, int c) {
            const int h = oh - config.vertical[0], w = ow - config.horizontal[0];
            const bool is_inside =
                h >= 0 && h < shape.input.height && w >= 0 && w < shape.input.width;
            return is_inside ? src[at(shape.input, n, h, w, c)] : 0.0;
        });
    }

    // A pixel's centre lies half a pixel behind its number, in both images; outside of the
    // source's centres the nearest of its pixels counts.
    Values operator()(const UpSampling2dConfig& config) const {
        const auto place = [&](int pixel, int factor, int size) {
            return std::clamp((pixel + 0.5) / factor - 0.5, 0.0, size - 1.0);
        };
        return by_element([&](int n, int oh, int ow, int c) {
            if (config.interpolation == Interpolation::nearest)
                return src[at(shape.input, n, oh / config.size[0], ow / config.size[1], c)];
            const double y = place(oh, config.size[0], shape.input.height);
            const double x = place(ow, config.size[1], shape.input.width);
            double sum = 0.0;
            for (int h = 0; h < shape.input.height; ++h)
                for (int w = 0; w < shape.input.width; ++w)
                    sum += std::max(0.0, 1.0 - std::abs(y - h)) *
                           std::max(0.0, 1.0 - std::abs(x - w)) * src[at(shape.input, n, h, w, c)];
            return sum;
        });
    }

    Values operator()(const PoolingConfig& config) const {
        return by_element([&](int n, int oh, int ow, int c) {
            double sum = 0.0, top = -std::numeric_limits<double>::infinity();
            int count = 0;
            for_each_pixel(config, config.pool_size, shape, oh, ow, [&](int h, int w, int, int) {
                const double value = src[at(shape.input, n, h, w, c)];
                sum += value;
                top = std::max(top, value);
                ++count;
            });
            return config.kind == PoolingKind::max ? top : sum / count;
        });
    }

    Values operator()(const GlobalPoolingConfig& config) const {
        return by_element([&](int n, int, int, int c) {
            double sum = 0.0, top = -std::numeric_limits<double>::infinity();
            for (int h = 0; h < shape.input.height; ++h)
                for (int w = 0; w < shape.input.width; ++w) {
                    const double value = src[at(shape.input, n, h, w, c)];
                    sum += value;
                    top = std::max(top, value);
                }
            const double pixels = double{1.0} * shape.input.height * shape.input.width;
            return config.kind == PoolingKind::max ? top : sum / pixels;
        });
    }

    Values operator()(const MergeConfig&) const {
        throw std::invalid_argument("a layer of several inputs: see plain_merge()");
    }

    Values operator()(const BatchNormalizationConfig& config) const {
        const auto channels = static_cast<std::size_t>(shape.input.channels);
        if (is_frozen)
            return normalized(config, parameters[parameters.size() - 2], parameters.back());
        const double count = static_cast<double>(src.size() / channels);
        Values mean(channels, 0.0), variance(channels, 0.0);
        for (std::size_t i = 0; i < src.size(); ++i) mean[i % channels] += src[i] / count;
        for (std::size_t i = 0; i < src.size(); ++i) {
            const double deviation = src[i] - mean[i % channels];
            variance[i % channels] += deviation * deviation / count;
        }
        return normalized(config, mean, variance);
    }

    // Gamma in front of beta, where there are any.
    Values normalized(const BatchNormalizationConfig& config, const Values& mean,
                      const Values& variance) const {
        Values dst = output();
        for (std::size_t i = 0; i < src.size(); ++i) {
            const std::size_t c = i % mean.size();
            const double unit = (src[i] - mean[c]) / std::sqrt(variance[c] + config.epsilon);
            dst[i] = (config.scale ? parameters[0][c] : 1.0) * unit +
                     (config.center ? parameters[config.scale ? 1 : 0][c] : 0.0);
        }
        return dst;
    }

    Values operator()(const LayerNormalizationConfig& config) const {
        const auto channels = static_cast<std::size_t>(shape.input.channels);
        Values dst = output();
        for (std::size_t pixel = 0; pixel < src.size(); pixel += channels) {
            const std::span<const double> x = src.subspan(pixel, channels);
            double mean = 0.0, variance = 0.0;
            for (const double value : x) mean += value / static_cast<double>(channels);
            for (const double value : x)
                variance += (value - mean) * (value - mean) / static_cast<double>(channels);
            for (std::size_t c = 0; c < channels; ++c) {
                const double unit = (x[c] - mean) / std::sqrt(variance + config.epsilon);
                dst[pixel + c] = (config.scale ? parameters[0][c] : 1.0) * unit +
                                 (config.center ? parameters[config.scale ? 1 : 0][c] : 0.0);
            }
        }
        return dst;
    }

    Values operator()(const RescalingConfig& config) const {
        Values dst(src.begin(), src.end());
        for (double& value : dst) value = value * config.scale + config.offset;
        return dst;
    }

    Values operator()(const DenseConfig& config) const {
        const int features = shape.input.channels, units = shape.output.channels;
        Values dst = by_element([&](int n, int, int, int unit) {
            double sum = config.use_bias ? parameters[1][static_cast<std::size_t>(unit)] : 0.0;
            for (int i = 0; i < features; ++i)
                sum += src[static_cast<std::size_t>(n * features + i)] *
                       parameters[0][static_cast<std::size_t>(i * units + unit)];
            return sum;
        });
        return activated(std::move(dst), config.activation);
    }

    Values operator()(const ActivationConfig& config) const {
        return activated({src.begin(), src.end()}, config.activation);
    }

    Values activated(Values values, Activation activation) const {
        if (activation == Activation::softmax)
            return softmax(std::move(values), shape.output.channels);
        for (double& value : values) value = plain_activation(activation, value);
        return values;
    }

    Values operator()(const FlattenConfig&) const { return {src.begin(), src.end()}; }

    Values operator()(const DropoutConfig& config) const {
        if (config.rate != 0.0) throw std::invalid_argument("the plain network has no dropout");
        return {src.begin(), src.end()};
    }
};

}  // namespace

Values in_double(std::span<const float> values) { return {values.begin(), values.end()}; }

Values plain_forward(const LayerConfig& config, const LayerShape& shape,
                     std::span<const Values> parameters, std::span<const double> src, int samples) {
    return std::visit(Forward{shape, parameters, src, samples, !config.trainable}, config.kind);
}

Values plain_merge(MergeKind kind, const LayerShape& shape, std::span<const Values> src,
                   int samples) {
    Values dst;
    if (kind == MergeKind::concatenate) {
        const std::size_t pixels =
            static_cast<std::size_t>(samples * shape.output.height * shape.output.width);
        for (std::size_t pixel = 0; pixel < pixels; ++pixel)
            for (std::size_t i = 0; i < src.size(); ++i) {
                const auto channels = static_cast<std::size_t>(shape.inputs[i].channels);
                const auto values = std::span(src[i]).subspan(pixel * channels, channels);
                dst.insert(dst.end(), values.begin(), values.end());
            }
        return dst;
    }
    const bool is_sum = kind == MergeKind::add;
    dst.assign(static_cast<std::size_t>(samples * shape.output.size()), is_sum ? 0.0 : 1.0);
    const auto size = static_cast<std::size_t>(shape.output.size());
    const auto channels = static_cast<std::size_t>(shape.output.channels);
    for (std::size_t s = 0; s < src.size(); ++s)
        for (std::size_t i = 0; i < dst.size(); ++i) {
            const bool is_pixel = shape.inputs[s].height * shape.inputs[s].width == 1;
            const double value = src[s][is_pixel ? i / size * channels + i % channels : i];
            dst[i] = is_sum ? dst[i] + value : dst[i] * value;
        }
    return dst;
}

Values plain_forward(std::span<const LayerConfig> layers, const Architecture& architecture,
                     std::span<const Values> parameters, std::span<const double> src, int samples) {
    std::vector<Values> values{{src.begin(), src.end()}};
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const LayerShape& shape = architecture.layers[i];
        std::vector<Values> sources;
        for (const ValueNumber source : shape.sources) sources.push_back(values[source]);
        if (const auto* merge = std::get_if<MergeConfig>(&layers[i].kind)) {
            values.push_back(plain_merge(merge->kind, shape, sources, samples));
            continue;
        }
        const LayerConfig config = i + 1 == layers.size() ? without_softmax(layers[i]) : layers[i];
        values.push_back(plain_forward(config, shape, parameters.first(shape.parameters.size()),
                                       sources.front(), samples));
        parameters = parameters.subspan(shape.parameters.size());
    }
    return values.back();
}

double plain_loss(std::span<const double> logits, std::span<const trainer::Label> labels,
                  int classes) {
    const auto width = static_cast<std::size_t>(classes);
    double sum = 0.0;
    for (std::size_t n = 0; n < labels.size(); ++n) {
        const auto row = logits.subspan(n * width, width);
        const double top = *std::ranges::max_element(row);
        double total = 0.0;
        for (const double logit : row) total += std::exp(logit - top);
        sum += std::log(total) + top - row[labels[n]];
    }
    return sum / static_cast<double>(labels.size());
}

}  // namespace lockstep::tests
