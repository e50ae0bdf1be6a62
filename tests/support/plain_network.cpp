#include "tests/support/plain_network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <variant>

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
// not padding.
template <class Config, class Visit>
void for_each_pixel(const Config& config, std::array<int, 2> window, const LayerShape& shape,
                    int oh, int ow, Visit visit) {
    const int top = oh * config.strides[0] -
                    zeros_before(shape.input.height, window[0], config.strides[0], config.padding);
    const int left = ow * config.strides[1] -
                     zeros_before(shape.input.width, window[1], config.strides[1], config.padding);
    for (int i = 0; i < window[0]; ++i)
        for (int j = 0; j < window[1]; ++j)
            if (top + i >= 0 && top + i < shape.input.height && left + j >= 0 &&
                left + j < shape.input.width)
                visit(top + i, left + j, i, j);
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
        const int ic = shape.input.channels, oc = shape.output.channels;
        Values dst = by_element([&](int n, int oh, int ow, int c) {
            double sum = config.use_bias ? parameters[1][static_cast<std::size_t>(c)] : 0.0;
            for_each_pixel(
                config, config.kernel_size, shape, oh, ow, [&](int h, int w, int i, int j) {
                    const int tap = i * config.kernel_size[1] + j;
                    for (int k = 0; k < ic; ++k)
                        sum += src[at(shape.input, n, h, w, k)] *
                               parameters[0][static_cast<std::size_t>((tap * ic + k) * oc + c)];
                });
            return sum;
        });
        return activated(std::move(dst), config.activation);
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
        const double count = static_cast<double>(src.size() / channels);
        Values mean(channels, 0.0), variance(channels, 0.0);
        for (std::size_t i = 0; i < src.size(); ++i) mean[i % channels] += src[i] / count;
        for (std::size_t i = 0; i < src.size(); ++i) {
            const double deviation = src[i] - mean[i % channels];
            variance[i % channels] += deviation * deviation / count;
        }
        Values dst = output();
        for (std::size_t i = 0; i < src.size(); ++i) {
            const std::size_t c = i % channels;
            dst[i] =
                parameters[0][c] * (src[i] - mean[c]) / std::sqrt(variance[c] + config.epsilon) +
                parameters[1][c];
        }
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
        if (activation == Activation::relu)
            for (double& value : values) value = std::max(value, 0.0);
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
    return std::visit(Forward{shape, parameters, src, samples}, config.kind);
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
    dst = src.front();
    for (const Values& other : src.subspan(1))
        for (std::size_t i = 0; i < dst.size(); ++i)
            dst[i] = kind == MergeKind::add ? dst[i] + other[i] : dst[i] * other[i];
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
