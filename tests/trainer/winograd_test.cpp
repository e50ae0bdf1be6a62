#include "trainer/kernels/winograd/winograd.hpp"

#include <hwy/highway.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "tests/trainer/every_target.hpp"
#include "tests/trainer/random_array.hpp"
#include "trainer/kernels/aligned_array.hpp"
#include "trainer/kernels/vector_lanes.hpp"

namespace lockstep::trainer {
namespace {

using tests::on_every_target;
using tests::random_array;

std::size_t size(int value) { return static_cast<std::size_t>(value); }

// One convolution with everything it reads and writes, in the layouts of winograd.hpp.
struct Case {
    WinogradShape shape;
    int images;
    AlignedArray<float> src, weights, bias, dst, diff_dst, diff_src, diff_weights, diff_bias;

    Case(const WinogradShape& s, int n)
        : shape(s),
          images(n),
          src(random_array(count(s.src_channels, s.src_height, s.src_width), 1)),
          weights(
              random_array(size(s.src_channels) * size(s.dst_channels) * size(s.taps * s.taps), 2)),
          bias(random_array(size(s.dst_channels), 3)),
          dst(count(s.dst_channels, s.dst_height, s.dst_width)),
          diff_dst(random_array(dst.size(), 4)),
          diff_src(src.size()),
          diff_weights(weights.size()),
          diff_bias(bias.size()) {}

    std::size_t count(int channels, int height, int width) const {
        return size(images) * size(channels) * size(height) * size(width);
    }
    std::size_t src_at(int n, int c, int y, int x) const {
        return at(n, c, y, x, shape.src_channels, shape.src_height, shape.src_width);
    }
    std::size_t dst_at(int n, int c, int y, int x) const {
        return at(n, c, y, x, shape.dst_channels, shape.dst_height, shape.dst_width);
    }
    std::size_t weight_at(int ic, int oc, int tap) const {
        const int b = shape.block;
        const std::size_t pair = size(oc / b) * size(shape.src_channels / b) + size(ic / b);
        return ((pair * size(shape.taps * shape.taps) + size(tap)) * size(b) + size(ic % b)) *
                   size(b) +
               size(oc % b);
    }

    // Gradients in one call, or one after the other.
    void compute(bool has_relu, bool in_one_call = true) {
        const Winograd winograd(shape);
        AlignedArray<float> filters(winograd.filter_floats());
        AlignedArray<float> scratch(winograd.scratch_floats());
        // What a call before has left must not matter.
        std::fill_n(scratch.data(), scratch.size(), std::nanf(""));
        winograd.transform_filters(weights.data(), filters.data());
        winograd.forward(src.data(), filters.data(), bias.data(), has_relu, dst.data(), images,
                         scratch.data());
        std::fill_n(diff_src.data(), diff_src.size(), std::nanf(""));
        winograd.transform_filters_for_data(weights.data(), filters.data());
        WinogradBackward data{.diff_dst = diff_dst.data(),
                              .relu_dst = has_relu ? dst.data() : nullptr,
                              .filters = filters.data(),
                              .diff_src = diff_src.data()};
        WinogradBackward parameters{.diff_dst = data.diff_dst,
                                    .relu_dst = data.relu_dst,
                                    .src = src.data(),
                                    .diff_weights = diff_weights.data(),
                                    .diff_bias = diff_bias.data()};
        if (in_one_call) {
            parameters.filters = data.filters;
            parameters.diff_src = data.diff_src;
        } else {
            winograd.backward(data, images, scratch.data());
        }
        winograd.backward(parameters, images, scratch.data());
    }

private:
    std::size_t at(int n, int c, int y, int x, int channels, int height, int width) const {
        const int b = shape.block;
        return ((size(n * (channels / b) + c / b) * size(height) + size(y)) * size(width) +
                size(x)) *
                   size(b) +
               size(c % b);
    }
};

// The definition, in double precision; gradients count where c.dst is positive, with `has_relu`.
struct Direct {
    bool has_relu;
    std::vector<double> dst, diff_src, diff_weights, diff_bias;

    Direct(const Case& c, bool relu)
        : has_relu(relu),
          dst(c.dst.size()),
          diff_src(c.src.size()),
          diff_weights(c.weights.size()),
          diff_bias(c.bias.size()) {
        for (int n = 0; n < c.images; ++n)
            for (int oc = 0; oc < c.shape.dst_channels; ++oc)
                for (int y = 0; y < c.shape.dst_height; ++y)
                    for (int x = 0; x < c.shape.dst_width; ++x) add_pixel(c, n, oc, y, x);
    }

private:
    void add_pixel(const Case& c, int n, int oc, int y, int x) {
        const std::size_t out = c.dst_at(n, oc, y, x);
        const bool is_cut = has_relu && c.dst[out] <= 0.0F;
        const double gradient = is_cut ? 0.0 : double{c.diff_dst[out]};
        const int taps = c.shape.taps;
        dst[out] = c.bias[size(oc)];
        diff_bias[size(oc)] += gradient;
        for (int tap = 0; tap < taps * taps; ++tap) {
            const int sy = y + tap / taps - c.shape.pad_top, sx = x + tap % taps - c.shape.pad_left;
            if (sy < 0 || sy >= c.shape.src_height || sx < 0 || sx >= c.shape.src_width) continue;
            for (int ic = 0; ic < c.shape.src_channels; ++ic) {
                const std::size_t in = c.src_at(n, ic, sy, sx), w = c.weight_at(ic, oc, tap);
                dst[out] += static_cast<double>(c.src[in]) * c.weights[w];
                diff_src[in] += gradient * c.weights[w];
                diff_weights[w] += gradient * c.src[in];
            }
        }
    }
};

// The relative error in the L2 norm.
double error_of(const AlignedArray<float>& values, const std::vector<double>& expected) {
    double difference = 0.0, norm = 0.0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double d = static_cast<double>(values[i]) - expected[i];
        difference += d * d;
        norm += expected[i] * expected[i];
    }
    return std::sqrt(difference / norm);
}

WinogradShape shape_of(int src_blocks, int dst_blocks, int height, int width, int pad) {
    const int block = vector_lanes();
    return {.block = block,
            .src_channels = src_blocks * block,
            .dst_channels = dst_blocks * block,
            .src_height = height,
            .src_width = width,
            .dst_height = height + 2 * pad - 2,
            .dst_width = width + 2 * pad - 2,
            .pad_top = pad,
            .pad_left = pad};
}

// Keras' "same" for 2 x 2 taps has no padding in front and one pixel behind.
WinogradShape two_taps(int src_blocks, int dst_blocks, int side, int before, int behind) {
    WinogradShape shape = shape_of(src_blocks, dst_blocks, side, side, 0);
    shape.dst_height = shape.dst_width = side + before + behind - 1;
    shape.pad_top = shape.pad_left = before;
    shape.taps = 2;
    return shape;
}

// Tiles that give four pixels and three, and are cut off; one tile; odd numbers of blocks; several
// rounds.
std::vector<std::pair<WinogradShape, int>> shapes() {
    std::vector<std::pair<WinogradShape, int>> all;
    for (const int pad : {0, 1, 2})
        for (const int side : {3, 4, 5, 6, 7, 8, 9, 11, 15})
            all.push_back({shape_of(1, 1, side, side, pad), 2});
    for (const int side : {2, 4, 5, 7, 8, 11})
        for (const int behind : {0, 1}) {
            all.push_back({two_taps(1, 2, side, 0, behind), 2});
            all.push_back({two_taps(3, 1, side, 1, behind), 1});
        }
    all.push_back({two_taps(1, 2, 31, 0, 1), 3});  // several rounds
    all.push_back({shape_of(2, 3, 6, 6, 0), 3});   // one tile, three images
    all.push_back({shape_of(3, 2, 5, 6, 1), 1});
    all.push_back({shape_of(1, 4, 13, 7, 1), 5});
    all.push_back({shape_of(2, 2, 32, 32, 1), 4});   // several rounds
    WinogradShape uneven = shape_of(1, 2, 8, 8, 1);  // Keras' "same" in front of one side only
    uneven.pad_top = 0;
    uneven.pad_left = 2;
    uneven.dst_height = 6;
    uneven.dst_width = 9;
    all.push_back({uneven, 2});
    return all;
}

TEST_CASE("winograd: all three directions are the convolution, on every instruction set",
          "[trainer][kernel]") {
    on_every_target([] {
        bool has_relu = false;
        for (const auto& [shape, images] : shapes()) {
            Case c(shape, images);
            has_relu = !has_relu;
            c.compute(has_relu);
            Direct direct(c, has_relu);
            if (has_relu)
                for (double& value : direct.dst) value = std::max(value, 0.0);
            INFO(shape.taps << " taps, ReLU " << has_relu << ", " << shape.src_channels << "-"
                            << shape.dst_channels << " @ " << shape.src_height << " x "
                            << shape.src_width << ", pad " << shape.pad_top);
            // Largest seen: 1.3e-6; direct float32 sums give 0.2e-6.
            CHECK(error_of(c.dst, direct.dst) < 2e-6);
            CHECK(error_of(c.diff_src, direct.diff_src) < 2e-6);
            CHECK(error_of(c.diff_weights, direct.diff_weights) < 4e-6);
            // A sum of both signs may come out near zero: its error is measured by its terms.
            const double terms = double(images) * shape.dst_height * shape.dst_width;
            for (std::size_t oc = 0; oc < c.bias.size(); ++oc)
                CHECK(std::abs(double(c.diff_bias[oc]) - direct.diff_bias[oc]) < 1e-7 * terms);
        }
    });
}

TEST_CASE("winograd: ReLU is the maximum with zero of the same values", "[trainer][kernel]") {
    Case plain(shape_of(2, 2, 9, 9, 1), 2), relu(shape_of(2, 2, 9, 9, 1), 2);
    plain.compute(false);
    relu.compute(true);
    int cut = 0;
    for (std::size_t i = 0; i < plain.dst.size(); ++i) {
        REQUIRE(relu.dst[i] == std::max(plain.dst[i], 0.0F));
        cut += plain.dst[i] < 0.0F ? 1 : 0;
    }
    CHECK(cut > 0);
}

TEST_CASE("winograd: both gradients in one call have the bits of two", "[trainer][kernel]") {
    on_every_target([] {
        for (const WinogradShape& shape : {shape_of(2, 3, 17, 17, 1), two_taps(2, 1, 9, 0, 1)}) {
            Case one(shape, 9), two(shape, 9);
            one.compute(true, true);
            two.compute(true, false);
            const auto same = [](const AlignedArray<float>& a, const AlignedArray<float>& b) {
                return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
            };
            CHECK(same(one.diff_src, two.diff_src));
            CHECK(same(one.diff_weights, two.diff_weights));
            CHECK(same(one.diff_bias, two.diff_bias));
        }
    });
}

TEST_CASE("winograd: an image's bits do not depend on the images beside it", "[trainer][kernel]") {
    on_every_target([] {
        for (const int side : {6, 9, 32}) {  // one tile, several, several rounds
            const WinogradShape shape = shape_of(2, 3, side, side, side == 6 ? 0 : 1);
            Case all(shape, 7);
            all.compute(true);
            for (int n = 0; n < all.images; ++n) {
                Case one(shape, 1);
                const auto copy = [n](const AlignedArray<float>& from, AlignedArray<float>& to) {
                    std::copy_n(from.data() + size(n) * to.size(), to.size(), to.data());
                };
                copy(all.src, one.src);
                copy(all.diff_dst, one.diff_dst);
                one.compute(true);
                const auto same = [n](const AlignedArray<float>& many,
                                      const AlignedArray<float>& single) {
                    return std::memcmp(many.data() + size(n) * single.size(), single.data(),
                                       single.size() * sizeof(float)) == 0;
                };
                CHECK(same(all.dst, one.dst));
                CHECK(same(all.diff_src, one.diff_src));
            }
        }
    });
}

TEST_CASE("winograd: channels that are all zero stay so, as padding does", "[trainer][kernel]") {
    Case c(shape_of(2, 2, 8, 8, 1), 2);
    const int dead_src = 3, dead_dst = c.shape.block + 1;
    for (int ic = 0; ic < c.shape.src_channels; ++ic)
        for (int oc = 0; oc < c.shape.dst_channels; ++oc)
            for (int tap = 0; tap < 9; ++tap)
                if (ic == dead_src || oc == dead_dst) c.weights[c.weight_at(ic, oc, tap)] = 0.0F;
    c.bias[size(dead_dst)] = 0.0F;
    for (int n = 0; n < c.images; ++n)
        for (int y = 0; y < 8; ++y)
            for (int x = 0; x < 8; ++x) {
                c.src[c.src_at(n, dead_src, y, x)] = 0.0F;
                c.diff_dst[c.dst_at(n, dead_dst, y, x)] = 0.0F;
            }
    c.compute(false);
    for (int n = 0; n < c.images; ++n)
        for (int y = 0; y < 8; ++y)
            for (int x = 0; x < 8; ++x) {
                REQUIRE(c.dst[c.dst_at(n, dead_dst, y, x)] == 0.0F);
                REQUIRE(c.diff_src[c.src_at(n, dead_src, y, x)] == 0.0F);
            }
    for (int ic = 0; ic < c.shape.src_channels; ++ic)
        for (int tap = 0; tap < 9; ++tap)
            REQUIRE(c.diff_weights[c.weight_at(ic, dead_dst, tap)] == 0.0F);
    for (int oc = 0; oc < c.shape.dst_channels; ++oc)
        for (int tap = 0; tap < 9; ++tap)
            REQUIRE(c.diff_weights[c.weight_at(dead_src, oc, tap)] == 0.0F);
}

TEST_CASE("winograd: shapes it does not compute are refused", "[trainer][kernel]") {
    WinogradShape shape = shape_of(1, 1, 8, 8, 1);
    shape.src_channels += 1;
    CHECK_THROWS_AS(Winograd(shape), std::invalid_argument);
    shape = shape_of(1, 1, 8, 8, 1);
    shape.block *= 2;
    CHECK_THROWS_AS(Winograd(shape), std::invalid_argument);
    shape = shape_of(1, 1, 8, 8, 1);
    shape.pad_left = 3;
    CHECK_THROWS_AS(Winograd(shape), std::invalid_argument);
    shape = shape_of(1, 1, 8, 8, 1);
    shape.dst_width -= 2;  // less than no padding behind
    CHECK_THROWS_AS(Winograd(shape), std::invalid_argument);
    shape = shape_of(1, 1, 8, 8, 1);
    shape.taps = 4;
    CHECK_THROWS_AS(Winograd(shape), std::invalid_argument);
}

}  // namespace
}  // namespace lockstep::trainer
