// Winograd bound to a rank's part of a batch, against oneDNN's direct convolution of the same.
#include "trainer/kernels/winograd/winograd_convolution.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "tests/support/worst_error.hpp"
#include "trainer/kernels/aligned_array.hpp"
#include "trainer/kernels/convolution.hpp"
#include "trainer/kernels/convolution_benchmark.hpp"
#include "trainer/kernels/vector_lanes.hpp"

namespace lockstep::trainer {
namespace {

// Shards as of a short batch, the last one smaller.
const std::vector<SampleRange> kShards{{0, 3}, {3, 3}, {6, 1}};
constexpr std::size_t kImages = 7;

ConvolutionShape shape_of(ConvolutionAlgorithm algorithm, int side) {
    return {.src = {side, side, 20, false},  // channels that do not fill a block
            .dst = {side, side, 40, false},
            .kernel_size = {3, 3},
            .strides = {1, 1},
            .pad_before = {1, 1},
            .pad_after = {1, 1},
            .has_relu = true,
            .algorithm = algorithm};
}

struct Bound {
    ComputeEngine engine;
    ConvolutionFormat format;
    AlignedArray<float> src, dst, diff_src, diff_dst, weights, bias;
    std::vector<AlignedArray<float>> diff_weights, diff_bias;

    explicit Bound(ConvolutionAlgorithm algorithm, bool in_one_call = false, int side = 9)
        : format(engine, shape_of(algorithm, side)),
          src(kImages * format.src().sample_size()),
          dst(kImages * format.dst().sample_size()),
          diff_src(src.size()),
          diff_dst(dst.size()),
          weights(format.kernel_format()->size()),
          bias(format.bias_format()->size()) {
        const ConvolutionShape& s = format.shape();
        tests::RandomValues random(7);
        const auto images = [&](const Shape& shape, const Layout& layout, AlignedArray<float>& to) {
            const auto values = random.floats(kImages * static_cast<std::size_t>(shape.size()));
            relayout(interleaved(shape), values.data(), layout, to.data(), int{kImages});
        };
        images(s.src, format.src(), src);
        images(s.dst, format.dst(), diff_dst);
        format.kernel_format()->pack(random.floats(9 * 20 * 40), weights.span());
        format.bias_format()->pack(random.floats(40), bias.span());
        LinearBuffers buffers{.src = src.data(),
                              .weights = weights.data(),
                              .bias = bias.data(),
                              .dst = dst.data(),
                              .diff_dst = diff_dst.data(),
                              .diff_src = diff_src.data(),
                              .diff_weights = {},
                              .diff_bias = {}};
        for (std::size_t i = 0; i < kShards.size(); ++i) {
            buffers.diff_weights.push_back(diff_weights.emplace_back(weights.size()).data());
            buffers.diff_bias.push_back(diff_bias.emplace_back(bias.size()).data());
        }
        Convolution convolution(format, buffers, kShards);
        convolution.forward();
        if (in_one_call) {
            convolution.backward();
        } else {
            convolution.backward_weights();
            convolution.backward_data();
        }
    }
};

double largest(std::span<const float> values) {
    double result = 0.0;
    for (const float value : values) result = std::max(result, std::abs(double{value}));
    return result;
}

void check_near(const AlignedArray<float>& found, const AlignedArray<float>& expected) {
    REQUIRE(found.size() == expected.size());
    REQUIRE(largest(expected.span()) > 0.0);
    CHECK(tests::worst_error(found, expected) < 2e-5 * largest(expected.span()));
}

TEST_CASE("winograd: a batch of several shards gives what the direct convolution gives",
          "[trainer][kernel]") {
    const Bound direct(ConvolutionAlgorithm::direct);
    const Bound winograd(ConvolutionAlgorithm::own_if_it_fits);
    CHECK_FALSE(direct.format.is_winograd());
    // Where oneDNN's block is no vector of ours (DNNL_MAX_CPU_ISA), both are direct.
    CHECK(winograd.format.is_winograd() == (winograd.format.src().block == vector_lanes()));
    check_near(winograd.dst, direct.dst);
    check_near(winograd.diff_src, direct.diff_src);
    for (std::size_t i = 0; i < kShards.size(); ++i) {
        CAPTURE(i);
        check_near(winograd.diff_weights[i], direct.diff_weights[i]);
        check_near(winograd.diff_bias[i], direct.diff_bias[i]);
    }
    if (winograd.format.is_winograd()) {
        CHECK(std::memcmp(winograd.dst.data(), direct.dst.data(),
                          direct.dst.size() * sizeof(float)) != 0);  // it did compute
    }
}

TEST_CASE("winograd: shards too small to repay the filters are direct, bit for bit",
          "[trainer][kernel]") {
    constexpr int kSide = 5;
    for (const bool in_one_call : {false, true}) {
        const Bound direct(ConvolutionAlgorithm::direct, in_one_call, kSide);
        const Bound mixed(ConvolutionAlgorithm::own_if_it_fits, in_one_call, kSide);
        if (!mixed.format.is_winograd()) return;  // DNNL_MAX_CPU_ISA
        check_near(mixed.dst, direct.dst);
        check_near(mixed.diff_src, direct.diff_src);
        for (std::size_t i = 0; i < kShards.size(); ++i) {
            const SampleRange& shard = kShards[i];
            CAPTURE(shard.count);
            const bool is_small = shard.count == 1;
            REQUIRE(mixed.format.prefers_direct(shard.count) == is_small);
            const auto same_bits = [&](const AlignedArray<float>& a, const AlignedArray<float>& b,
                                       int first, int count, int of) {
                const std::size_t sample = a.size() / static_cast<std::size_t>(of);
                const std::size_t at = sample * static_cast<std::size_t>(first);
                return std::memcmp(a.data() + at, b.data() + at,
                                   sample * static_cast<std::size_t>(count) * sizeof(float)) == 0;
            };
            const int images = int{kImages};
            CHECK(same_bits(mixed.dst, direct.dst, shard.first, shard.count, images) == is_small);
            CHECK(same_bits(mixed.diff_src, direct.diff_src, shard.first, shard.count, images) ==
                  is_small);
            CHECK(same_bits(mixed.diff_weights[i], direct.diff_weights[i], 0, 1, 1) == is_small);
        }
    }
}

TEST_CASE("winograd: one call for both gradients of a batch gives the bits of two",
          "[trainer][kernel]") {
    for (const auto algorithm :
         {ConvolutionAlgorithm::direct, ConvolutionAlgorithm::own_if_it_fits}) {
        const Bound two(algorithm), one(algorithm, true);
        const auto same = [](const AlignedArray<float>& a, const AlignedArray<float>& b) {
            return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
        };
        CHECK(same(one.diff_src, two.diff_src));
        for (std::size_t i = 0; i < kShards.size(); ++i) {
            CHECK(same(one.diff_weights[i], two.diff_weights[i]));
            CHECK(same(one.diff_bias[i], two.diff_bias[i]));
        }
    }
}

ConvolutionShape rule_shape(int taps, int channels, int height, int width) {
    return {.src = {height, width, channels, false},
            .dst = {height, width, channels, false},
            .kernel_size = {taps, taps},
            .strides = {1, 1},
            .pad_before = {(taps - 1) / 2, (taps - 1) / 2},
            .pad_after = {taps / 2, taps / 2}};
}

TEST_CASE("winograd: the rule is one of shape and block", "[trainer][kernel]") {
    const int block = vector_lanes();
    const auto takes = [&](int taps, int channels, int height, int width) {
        return takes_winograd(rule_shape(taps, channels, height, width), block);
    };
    CHECK(takes(3, block, 4, 4));
    CHECK(takes(3, block, 5, 64));
    CHECK_FALSE(takes(3, block, 3, 64));
    CHECK(takes(3, 1, 8, 8));  // padded to a block, as for oneDNN
    CHECK(takes(3, 128, 4, 4));
    CHECK_FALSE(takes(3, 144, 5, 5));
    CHECK(takes(3, 144, 6, 6));
    CHECK_FALSE(takes(3, 256, 6, 6));
    CHECK(takes(3, 256, 7, 7));
    CHECK_FALSE(takes(2, 256, 16, 16));
    const auto takes_lopsided = [&](int src_channels, int side) {
        ConvolutionShape shape = rule_shape(3, block, side, side);
        shape.src.channels = src_channels;
        return takes_winograd(shape, block);
    };
    CHECK(takes_lopsided(4 * block, 5));
    CHECK_FALSE(takes_lopsided(4 * block + 1, 5));
    CHECK(takes_lopsided(4 * block + 1, 6));
    CHECK(takes(2, block, 8, 8) == (block == 16));
    CHECK(takes(2, block, 16, 16) == (block == 16));
    CHECK_FALSE(takes(2, block, 4, 4));
    CHECK_FALSE(takes(2, block, 9, 9));  // nine tiles for five
    CHECK_FALSE(takes(4, block, 8, 8));
    CHECK_FALSE(takes_winograd(rule_shape(3, block, 8, 8), 2 * block));
    ConvolutionShape shape = rule_shape(3, block, 8, 8);
    shape.strides = {1, 2};
    CHECK_FALSE(takes_winograd(shape, block));
    shape = rule_shape(3, block, 8, 8);
    shape.kernel_size = {3, 2};
    CHECK_FALSE(takes_winograd(shape, block));
}

TEST_CASE("winograd: how many images repay the filters", "[trainer][kernel]") {
    const int block = vector_lanes();
    const auto least_images = [&](int taps, int channels, int side) {
        int images = 1;
        while (!repays_filters(rule_shape(taps, channels, side, side), block, images)) ++images;
        return images;
    };
    CHECK(least_images(3, 64, 4) == (block == 16 ? 4 : 3));
    CHECK(least_images(3, 64, 5) == (block == 16 ? 3 : 2));
    CHECK(least_images(3, 128, 6) == 1);
    CHECK(least_images(3, 144, 6) == 2);
    CHECK(least_images(3, 256, 7) == 4);
    CHECK(least_images(3, 256, 14) == 1);
    CHECK(least_images(2, 64, 8) == 2);
    CHECK(least_images(2, 64, 16) == 1);
}

TEST_CASE("the kernel benchmark measures the errors of both sides", "[trainer][kernel]") {
    ConvolutionBenchmarkConfig config;
    config.channels = 16;
    config.size = {8, 8};
    config.images = 2;
    config.rounds = 1;
    config.convolution.filters = 32;
    config.convolution.kernel_size = {3, 3};
    config.convolution.padding = Padding::same;
    const ConvolutionBenchmark fits = benchmark_convolution(config);
    REQUIRE(fits.timings.size() == 4);
    for (const ConvolutionTiming& timing : fits.timings) {
        CAPTURE(timing.direction);
        CHECK(timing.own_error > 0.0);
        CHECK(timing.own_error < 3e-6);
        CHECK(timing.onednn_error < 2e-6);
        const double passes = timing.direction == "backward" ? 2.0 : 1.0;
        CHECK(timing.flops == passes * 2.0 * 2 * 8 * 8 * 9 * 16 * 32);
    }
    config.convolution.strides = {2, 2};
    const ConvolutionBenchmark strided = benchmark_convolution(config);
    CHECK(strided.algorithm == "direct");
    for (const ConvolutionTiming& timing : strided.timings)
        CHECK(timing.own_error == timing.onednn_error);
}

}  // namespace
}  // namespace lockstep::trainer
