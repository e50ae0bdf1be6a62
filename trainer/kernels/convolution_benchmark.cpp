#include "trainer/kernels/convolution_benchmark.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <functional>
#include <random>

#include "trainer/config/architecture.hpp"
#include "trainer/kernels/aligned_array.hpp"
#include "trainer/kernels/convolution.hpp"
#include "trainer/kernels/median.hpp"

namespace lockstep::trainer {
namespace {

std::size_t size(int value) { return static_cast<std::size_t>(value); }

ConvolutionShape shape_of(const ConvolutionBenchmarkConfig& config,
                          ConvolutionAlgorithm algorithm) {
    const Conv2dConfig& c = config.convolution;
    const auto window = [&](std::size_t axis) {
        return window_of(config.size[axis], c.kernel_size[axis], c.strides[axis], c.padding,
                         c.dilation_rate[axis]);
    };
    const Window rows = window(0), columns = window(1);
    return {.src = {config.size[0], config.size[1], config.channels, false},
            .dst = {rows.output, columns.output, c.filters, false},
            .kernel_size = c.kernel_size,
            .strides = c.strides,
            .pad_before = {rows.pad_before, columns.pad_before},
            .pad_after = {rows.pad_after, columns.pad_after},
            .dilation_rate = c.dilation_rate,
            .groups = c.groups,
            .algorithm = algorithm};
}

std::size_t kernel_floats(const ConvolutionShape& s) {
    return size(s.kernel_size[0]) * size(s.kernel_size[1]) * size(s.src.channels / s.groups) *
           size(s.dst.channels);
}

// Values of one convolution in Keras' layouts: images [N, H, W, C], kernel [KH, KW, IC / G, OC].
template <class Value>
struct Values {
    std::vector<Value> src, kernel, bias, diff_dst;  // given
    std::vector<Value> dst, diff_src, diff_kernel;   // computed

    // One of a pass's results; two of the whole backward pass.
    std::vector<const std::vector<Value>*> results(std::size_t direction) const {
        if (direction == 3) return {&diff_src, &diff_kernel};
        return {direction == 0 ? &dst : direction == 1 ? &diff_src : &diff_kernel};
    }
};

Values<float> random_values(const ConvolutionShape& s, int images) {
    std::mt19937 generator(1);
    std::normal_distribution<float> normal;
    const auto draw = [&](std::size_t count) {
        std::vector<float> values(count);
        for (float& value : values) value = normal(generator);
        return values;
    };
    Values<float> v;
    v.src = draw(size(images) * static_cast<std::size_t>(s.src.size()));
    v.kernel = draw(kernel_floats(s));
    v.bias = draw(size(s.dst.channels));
    v.diff_dst = draw(size(images) * static_cast<std::size_t>(s.dst.size()));
    return v;
}

// The definition, in double precision.
class Definition {
public:
    Definition(const ConvolutionShape& shape, const Values<float>& given, int images)
        : s_(shape), given_(given) {
        result_.dst.resize(given.diff_dst.size());
        result_.diff_src.resize(given.src.size());
        result_.diff_kernel.resize(given.kernel.size());
        for (int n = 0; n < images; ++n)
            for (int y = 0; y < s_.dst.height; ++y)
                for (int x = 0; x < s_.dst.width; ++x) add_pixel(n, y, x);
    }
    const Values<double>& values() const { return result_; }

private:
    static std::size_t pixel(const Shape& shape, int n, int y, int x) {
        return (size(n * shape.height + y) * size(shape.width) + size(x)) * size(shape.channels);
    }
    void add_pixel(int n, int y, int x) {
        const std::size_t out = pixel(s_.dst, n, y, x);
        for (int oc = 0; oc < s_.dst.channels; ++oc)
            result_.dst[out + size(oc)] = given_.bias[size(oc)];
        for (int ky = 0; ky < s_.kernel_size[0]; ++ky)
            for (int kx = 0; kx < s_.kernel_size[1]; ++kx) {
                const int sy = y * s_.strides[0] + ky * s_.dilation_rate[0] - s_.pad_before[0];
                const int sx = x * s_.strides[1] + kx * s_.dilation_rate[1] - s_.pad_before[1];
                const bool is_inside =
                    sy >= 0 && sy < s_.src.height && sx >= 0 && sx < s_.src.width;
                if (is_inside)
                    add_tap(pixel(s_.src, n, sy, sx), out, size(ky * s_.kernel_size[1] + kx));
            }
    }
    void add_tap(std::size_t in, std::size_t out, std::size_t tap) {
        const std::size_t channels = size(s_.src.channels / s_.groups);  // of a group
        const std::size_t filters = size(s_.dst.channels), group = filters / size(s_.groups);
        for (std::size_t ic = 0; ic < channels; ++ic)
            for (std::size_t oc = 0; oc < filters; ++oc) {
                const std::size_t k = (tap * channels + ic) * filters + oc;
                const std::size_t from = in + oc / group * channels + ic;
                const double src = given_.src[from], gradient = given_.diff_dst[out + oc];
                result_.dst[out + oc] += src * given_.kernel[k];
                result_.diff_src[from] += gradient * given_.kernel[k];
                result_.diff_kernel[k] += gradient * src;
            }
    }

    const ConvolutionShape& s_;
    const Values<float>& given_;
    Values<double> result_;
};

// One algorithm with its buffers, in its own layouts.
class Contender {
public:
    Contender(const ConvolutionShape& shape, const Values<float>& given, int images)
        : format_(engine_, shape),
          images_(images),
          kernel_(format_.kernel_format()),
          src_(floats(format_.src())),
          dst_(floats(format_.dst())),
          diff_src_(src_.size()),
          diff_dst_(dst_.size()),
          weights_(kernel_->size()),
          diff_weights_(kernel_->size()),
          bias_(size(format_.dst_channels())),
          diff_bias_(bias_.size()),
          convolution_(format_, buffers(), std::vector<SampleRange>{{0, images}}) {
        relayout(interleaved(shape.src), given.src.data(), format_.src(), src_.data(), images);
        relayout(interleaved(shape.dst), given.diff_dst.data(), format_.dst(), diff_dst_.data(),
                 images);
        kernel_->pack(given.kernel, weights_.span());
        format_.bias_format()->pack(given.bias, bias_.span());
    }

    std::string algorithm() const {
        if (format_.depthwise()) return "depthwise";
        return format_.is_winograd() && !format_.prefers_direct(images_) ? "winograd" : "direct";
    }
    void run(std::size_t direction) {
        if (direction == 0) return convolution_.forward();
        if (direction == 1) return convolution_.backward_data();
        direction == 2 ? convolution_.backward_weights() : convolution_.backward();
    }
    Values<float> results() const {
        Values<float> v;
        const ConvolutionShape& s = format_.shape();
        v.dst.resize(size(images_) * static_cast<std::size_t>(s.dst.size()));
        v.diff_src.resize(size(images_) * static_cast<std::size_t>(s.src.size()));
        v.diff_kernel.resize(kernel_floats(s));
        relayout(format_.dst(), dst_.data(), interleaved(s.dst), v.dst.data(), images_);
        relayout(format_.src(), diff_src_.data(), interleaved(s.src), v.diff_src.data(), images_);
        kernel_->unpack(diff_weights_.span(), v.diff_kernel);
        return v;
    }

private:
    std::size_t floats(const Layout& layout) const { return size(images_) * layout.sample_size(); }
    LinearBuffers buffers() {
        return {.src = src_.data(),
                .weights = weights_.data(),
                .bias = bias_.data(),
                .dst = dst_.data(),
                .diff_dst = diff_dst_.data(),
                .diff_src = diff_src_.data(),
                .diff_weights = {diff_weights_.data()},
                .diff_bias = {diff_bias_.data()}};
    }

    ComputeEngine engine_;
    ConvolutionFormat format_;
    int images_;
    std::unique_ptr<ParameterFormat> kernel_;
    AlignedArray<float> src_, dst_, diff_src_, diff_dst_, weights_, diff_weights_, bias_,
        diff_bias_;
    Convolution convolution_;
};

double error_of(const std::vector<float>& values, const std::vector<double>& expected) {
    double difference = 0.0, norm = 0.0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        difference += std::pow(static_cast<double>(values[i]) - expected[i], 2);
        norm += expected[i] * expected[i];
    }
    return std::sqrt(difference / norm);
}

// The larger one where there are two results.
double error_of(const Values<float>& values, const Values<double>& expected,
                std::size_t direction) {
    const auto found = values.results(direction);
    const auto truth = expected.results(direction);
    double error = 0.0;
    for (std::size_t i = 0; i < found.size(); ++i)
        error = std::max(error, error_of(*found[i], *truth[i]));
    return error;
}

double seconds_of(Contender& contender, std::size_t direction) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    contender.run(direction);
    return std::chrono::duration<double>(Clock::now() - start).count();
}

ConvolutionTiming timing_of(Contender& own, Contender& onednn, std::size_t direction, int rounds) {
    std::vector<double> own_seconds, onednn_seconds, ratios;
    seconds_of(own, direction);  // warm
    seconds_of(onednn, direction);
    for (int i = 0; i < rounds; ++i) {
        own_seconds.push_back(seconds_of(own, direction));
        onednn_seconds.push_back(seconds_of(onednn, direction));
        ratios.push_back(own_seconds.back() / onednn_seconds.back());
    }
    return {.direction = {},
            .own_seconds = median(own_seconds),
            .onednn_seconds = median(onednn_seconds),
            .ratio = median(ratios)};
}

}  // namespace

ConvolutionBenchmark benchmark_convolution(const ConvolutionBenchmarkConfig& config) {
    const ConvolutionShape shape = shape_of(config, ConvolutionAlgorithm::own_if_it_fits);
    const Values<float> given = random_values(shape, config.images);
    Contender own(shape, given, config.images);
    Contender onednn(shape_of(config, ConvolutionAlgorithm::direct), given, config.images);
    const std::array<const char*, 4> directions{"forward", "backward_data", "backward_weights",
                                                "backward"};
    ConvolutionBenchmark benchmark{own.algorithm(), {}};
    for (std::size_t i = 0; i < directions.size(); ++i) {
        benchmark.timings.push_back(timing_of(own, onednn, i, config.rounds));
        benchmark.timings.back().direction = directions[i];
    }
    const Definition definition(shape, given, config.images);
    const Values<float> own_results = own.results(), onednn_results = onednn.results();
    const double flops = 2.0 * config.images * shape.dst.height * shape.dst.width *
                         static_cast<double>(given.kernel.size());
    for (std::size_t i = 0; i < directions.size(); ++i) {
        ConvolutionTiming& timing = benchmark.timings[i];
        timing.own_error = error_of(own_results, definition.values(), i);
        timing.onednn_error = error_of(onednn_results, definition.values(), i);
        timing.flops = i == 3 ? 2.0 * flops : flops;
    }
    return benchmark;
}

}  // namespace lockstep::trainer
