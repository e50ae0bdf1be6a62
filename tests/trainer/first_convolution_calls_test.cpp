// First convolutions of few channels bound to a rank's part of a batch, against oneDNN's direct
// ones.
#include "trainer/kernels/first/first_convolution_calls.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "tests/support/worst_error.hpp"
#include "trainer/kernels/aligned_array.hpp"
#include "trainer/kernels/convolution_descriptors.hpp"
#include "trainer/kernels/vector_lanes.hpp"

namespace lockstep::trainer {
namespace {

// Shards of a batch, the last one smaller.
const std::vector<SampleRange> kShards{{0, 2}, {2, 1}};
constexpr std::size_t kImages = 3;

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

struct Given {
    int channels, filters;
    std::array<int, 2> kernel;
    int stride = 1, pad_before = 0, pad_after = 0;
};

ConvolutionShape shape_of(const Given& g, ConvolutionAlgorithm algorithm) {
    constexpr int kHeight = 12, kWidth = 11;
    const auto output = [&](int pixels, int taps) {
        return (pixels + g.pad_before + g.pad_after - taps) / g.stride + 1;
    };
    return {.src = {kHeight, kWidth, g.channels, false},
            .dst = {output(kHeight, g.kernel[0]), output(kWidth, g.kernel[1]), g.filters, false},
            .kernel_size = g.kernel,
            .strides = {g.stride, g.stride},
            .pad_before = {g.pad_before, g.pad_before},
            .pad_after = {g.pad_after, g.pad_after},
            .has_relu = true,
            .algorithm = algorithm};
}

// What a convolution gives, in Keras' layouts.
struct Result {
    std::vector<float> dst;                        // [images, height, width, filters]
    std::vector<float> diff_src;                   // [images, height, width, channels]
    std::vector<std::vector<float>> kernel, bias;  // gradients, by shard
    bool is_own;
};

Result computed(const Given& g, ConvolutionAlgorithm algorithm) {
    ComputeEngine engine;
    const ConvolutionShape shape = shape_of(g, algorithm);
    const ConvolutionFormat format(engine, shape);
    tests::RandomValues random(7);
    const auto placed = [&](const Shape& image, const Layout& layout) {
        AlignedArray<float> to(kImages * layout.sample_size());
        const auto values = random.floats(kImages * size(image.size()));
        relayout(interleaved(image), values.data(), layout, to.data(), int{kImages});
        return to;
    };
    const AlignedArray<float> src = placed(shape.src, format.src());
    const AlignedArray<float> given_diff = placed(shape.dst, format.dst());
    const auto kernel_format = format.kernel_format();
    const auto bias_format = format.bias_format();
    const std::size_t floats = size(g.kernel[0] * g.kernel[1] * g.channels * g.filters);
    AlignedArray<float> weights(kernel_format->size()), bias(bias_format->size());
    kernel_format->pack(random.floats(floats), weights.span());
    bias_format->pack(random.floats(size(g.filters)), bias.span());

    AlignedArray<float> dst(given_diff.size()), diff_dst(given_diff.size()), diff_src(src.size());
    std::vector<AlignedArray<float>> diff_weights, diff_bias;
    std::vector<LinearPart> parts;
    for (const SampleRange& shard : kShards) {
        const std::size_t to = size(shard.first) * format.dst().sample_size();
        parts.push_back(
            {.samples = shard.count,
             .src = src.data() + size(shard.first) * format.src().sample_size(),
             .dst = dst.data() + to,
             .diff_dst = diff_dst.data() + to,
             .relu_dst = format.masks_relu() ? dst.data() + to : nullptr,
             .diff_src = diff_src.data() + size(shard.first) * format.src().sample_size(),
             .diff_weights = diff_weights.emplace_back(weights.size()).data(),
             .diff_bias = diff_bias.emplace_back(bias.size()).data()});
    }
    Convolution convolution(format, {.weights = weights.data(), .bias = bias.data()}, parts);
    convolution.forward();
    for (std::size_t i = 0; i < dst.size(); ++i)
        diff_dst[i] = format.masks_relu() || dst[i] > 0.0F ? given_diff[i] : 0.0F;
    convolution.backward();

    Result result;
    result.is_own = format.first().has_value();
    result.dst.resize(kImages * size(shape.dst.size()));
    relayout(format.dst(), dst.data(), interleaved(shape.dst), result.dst.data(), int{kImages});
    result.diff_src.resize(kImages * size(shape.src.size()));
    relayout(format.src(), diff_src.data(), interleaved(shape.src), result.diff_src.data(),
             int{kImages});
    for (std::size_t i = 0; i < kShards.size(); ++i) {
        kernel_format->unpack(diff_weights[i].span(), result.kernel.emplace_back(floats));
        bias_format->unpack(diff_bias[i].span(), result.bias.emplace_back(size(g.filters)));
    }
    return result;
}

void check_near(const std::vector<float>& found, const std::vector<float>& expected) {
    REQUIRE(found.size() == expected.size());
    double largest = 0.0;
    for (const float value : expected) largest = std::max(largest, std::abs(double{value}));
    REQUIRE(largest > 0.0);
    CHECK(tests::worst_error(found, expected) < 2e-6 * largest);
}

TEST_CASE("first convolution: whichever kernels take it, they give what oneDNN gives",
          "[trainer][kernel]") {
    for (const int channels : {1, 2, 3, 4})
        for (const Given& given :
             {Given{channels, 20, {3, 3}}, Given{channels, 33, {3, 3}, 1, 1, 1},
              Given{channels, 8, {5, 5}, 2, 2, 2}, Given{channels, 16, {2, 2}, 1, 0, 1},
              Given{channels, 7, {3, 1}, 3}, Given{channels, 16, {1, 1}}}) {
            CAPTURE(channels, given.filters, given.kernel[0], given.stride, given.pad_before);
            const Result own = computed(given, ConvolutionAlgorithm::own_if_it_fits);
            const Result direct = computed(given, ConvolutionAlgorithm::direct);
            CHECK_FALSE(direct.is_own);
            check_near(own.dst, direct.dst);
            check_near(own.diff_src, direct.diff_src);
            for (std::size_t i = 0; i < kShards.size(); ++i) {
                check_near(own.kernel[i], direct.kernel[i]);
                check_near(own.bias[i], direct.bias[i]);
            }
        }
}

TEST_CASE("first convolution: what our kernels do not compute never falls to oneDNN's plain loops",
          "[trainer][kernel]") {
    for (const int channels : {1, 2, 3, 4, 5})
        for (const ConvolutionAlgorithm algorithm :
             {ConvolutionAlgorithm::own_if_it_fits, ConvolutionAlgorithm::direct}) {
            CAPTURE(channels);
            ComputeEngine engine;
            const ConvolutionFormat format(engine, shape_of({channels, 16, {9, 9}}, algorithm));
            CHECK_FALSE(format.first());
            const auto& d = format.descriptors();
            const auto forward = d.forward(engine.onednn(), 4, d.weights, true);
            CHECK_FALSE(is_reference(forward));
            const auto any = f32(d.weights_dims(), dnnl::memory::format_tag::any);
            CHECK_FALSE(is_reference(
                d.backward_weights(engine.onednn(), d.src(4), any, d.dst(4), forward)));
        }
}

// What takes a convolution: F and W are our kernels for few channels, forward and for the weights'
// gradient, o is oneDNN where they are not taken; without any, "-".
std::string taken(const Given& given) {
    ComputeEngine engine;
    const ConvolutionFormat format(engine, shape_of(given, ConvolutionAlgorithm::own_if_it_fits));
    if (format.is_winograd()) return "winograd";
    if (!format.first()) return "-";
    return std::string(format.first_passes().forward ? "F" : "o") +
           (format.first_passes().weights ? "W" : "o");
}

TEST_CASE("first convolution: which passes our kernels take", "[trainer][kernel]") {
    const bool is_wide = vector_lanes() == 16;
    for (const int channels : {1, 2, 3, 4}) CHECK(taken({channels, 8, {1, 1}}) == "FW");
    CHECK(taken({1, 32, {3, 3}}) == "oW");
    CHECK(taken({2, 17, {3, 3}}) == (is_wide ? "oW" : "FW"));
    CHECK(taken({3, 32, {3, 3}}) == "oW");
    CHECK(taken({3, 32, {5, 5}}) == (is_wide ? "oo" : "oW"));
    CHECK(taken({1, 16, {3, 3}}) == (is_wide ? "oo" : "FW"));
    CHECK(taken({1, 32, {3, 3}, 2}) == (is_wide ? "oo" : "oW"));
    CHECK(taken({3, 32, {5, 5}, 2}) == "oo");
    CHECK(taken({4, 8, {3, 3}, 2}) == "oW");
    CHECK(taken({4, 32, {3, 3}}) == (is_wide ? "oW" : "winograd"));
    CHECK(taken({5, 32, {5, 5}}) == "-");
    CHECK(taken({1, 32, {8, 3}}) == "-");
}

}  // namespace
}  // namespace lockstep::trainer
