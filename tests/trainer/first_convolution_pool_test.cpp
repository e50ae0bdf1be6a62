#include "trainer/kernels/first/first_convolution_pool.hpp"

#include <hwy/highway.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <stdexcept>
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

using Shape = FirstConvolutionPool::Shape;

// One convolution with everything it reads and writes, in the layouts of its header.
struct Case {
    Shape shape;
    int images;
    FirstConvolutionPool kernels;
    AlignedArray<float> src, weights, bias, dst, diff_dst, diff_weights, diff_bias;
    AlignedArray<PooledPlace> places;
    AlignedArray<float> scratch;

    Case(const Shape& s, int n)
        : shape(s),
          images(n),
          kernels(s),
          src(random_array(size(n * s.src_channels * s.src_height * s.src_width), 1)),
          weights(random_array(size(s.taps() * s.dst_channels), 2)),
          bias(random_array(size(s.dst_channels), 3)),
          dst(size(n * s.dst_channels * s.dst_height * s.dst_width)),
          diff_dst(random_array(dst.size(), 4)),
          diff_weights(weights.size()),
          diff_bias(bias.size()),
          places(dst.size()),
          scratch(kernels.scratch_floats()) {
        // What a call before has left must not matter.
        std::fill_n(scratch.data(), scratch.size(), std::nanf(""));
    }

    // Row and column of the convolution and of a tap; zero in the padding.
    float pixel(int n, int c, int y, int x, int ky, int kx) const {
        const int sy = y + ky - shape.pad_top, sx = x + kx - shape.pad_left;
        if (sy < 0 || sy >= shape.src_height || sx < 0 || sx >= shape.src_width) return 0.0F;
        return src[(size(n * shape.src_channels + c) * size(shape.src_height) + size(sy)) *
                       size(shape.src_width) +
                   size(sx)];
    }
    std::size_t weight_at(int oc, int ky, int kx, int ic) const {
        const int tap = (ky * shape.kernel_width + kx) * shape.src_channels + ic;
        return size(oc / shape.block * shape.taps() + tap) * size(shape.block) +
               size(oc % shape.block);
    }
    std::size_t dst_at(int n, int oc, int y, int x) const {
        const int b = shape.block;
        return ((size(n * shape.dst_blocks() + oc / b) * size(shape.dst_height) + size(y)) *
                    size(shape.dst_width) +
                size(x)) *
                   size(b) +
               size(oc % b);
    }

    void forward() {
        kernels.forward(src.data(), weights.data(), bias.data(), dst.data(), places.data(), images,
                        scratch.data());
    }
    void backward() {
        kernels.backward_weights(src.data(), diff_dst.data(), places.data(), diff_weights.data(),
                                 diff_bias.data(), images, scratch.data());
    }
};

template <class Visit>
void for_each_output(const Case& c, Visit visit) {
    for (int n = 0; n < c.images; ++n)
        for (int oc = 0; oc < c.shape.dst_channels; ++oc)
            for (int y = 0; y < c.shape.dst_height; ++y)
                for (int x = 0; x < c.shape.dst_width; ++x) visit(n, oc, y, x);
}

// In the order of a chain.
template <class Visit>
void for_each_tap(const Shape& s, Visit visit) {
    for (int ky = 0; ky < s.kernel_height; ++ky)
        for (int kx = 0; kx < s.kernel_width; ++kx)
            for (int ic = 0; ic < s.src_channels; ++ic) visit(ky, kx, ic);
}

// ---- the definition ----------------------------------------------------------------------------

// As the instruction set in use multiplies and adds: x86's before AVX2 round between the two.
float multiply_add(float a, float b, float c) {
    if (hwy::SupportedTargets() <= HWY_AVX2) return std::fma(a, b, c);
    const float product = static_cast<float>(static_cast<double>(a) * b);  // never contracted
    return product + c;
}

float convolved(const Case& c, int n, int oc, int y, int x) {
    float sum = c.bias[size(oc)];
    for_each_tap(c.shape, [&](int ky, int kx, int ic) {
        sum =
            multiply_add(c.pixel(n, ic, y, x, ky, kx), c.weights[c.weight_at(oc, ky, kx, ic)], sum);
    });
    return sum;
}

// The first one, row by row, of equals.
struct Maximum {
    float value;
    int row, column;  // in its window
};

// As dst.
std::vector<Maximum> maxima_of(const Case& c) {
    std::vector<Maximum> maxima(c.dst.size());
    for_each_output(c, [&](int n, int oc, int y, int x) {
        Maximum best{-std::numeric_limits<float>::infinity(), 0, 0};
        for (const int row : {0, 1})
            for (const int column : {0, 1}) {
                const float value = convolved(c, n, oc, 2 * y + row, 2 * x + column);
                if (value > best.value) best = {value, row, column};
            }
        maxima[c.dst_at(n, oc, y, x)] = best;
    });
    return maxima;
}

// The gradients in double precision: diff_dst goes to the maximum where it is > 0.
struct Direct {
    std::vector<double> diff_weights, diff_bias;
    std::vector<double> weight_terms, bias_terms;  // of magnitudes: what errors are measured by

    Direct(const Case& c, const std::vector<Maximum>& maxima)
        : diff_weights(c.weights.size()),
          diff_bias(c.bias.size()),
          weight_terms(c.weights.size()),
          bias_terms(c.bias.size()) {
        for_each_output(c, [&](int n, int oc, int y, int x) {
            const std::size_t at = c.dst_at(n, oc, y, x);
            const Maximum& best = maxima[at];
            if (best.value > 0.0F)
                add_pixel(c, c.diff_dst[at], n, oc, 2 * y + best.row, 2 * x + best.column);
        });
    }

private:
    void add_pixel(const Case& c, double gradient, int n, int oc, int y, int x) {
        diff_bias[size(oc)] += gradient;
        bias_terms[size(oc)] += std::abs(gradient);
        for_each_tap(c.shape, [&](int ky, int kx, int ic) {
            const double term = c.pixel(n, ic, y, x, ky, kx) * gradient;
            const std::size_t w = c.weight_at(oc, ky, kx, ic);
            diff_weights[w] += term;
            weight_terms[w] += std::abs(term);
        });
    }
};

void check_outputs(const Case& c, const std::vector<Maximum>& maxima) {
    for (std::size_t i = 0; i < maxima.size(); ++i) {
        const Maximum& best = maxima[i];
        REQUIRE(c.dst[i] == std::max(best.value, 0.0F));
        REQUIRE((c.places[i] > 3) == (best.value > 0.0F));
        if (best.value > 0.0F) REQUIRE(c.places[i] == 4 + 2 * best.column + best.row);
    }
}

void check_gradients(const Case& c, const Direct& direct) {
    for (std::size_t w = 0; w < c.weights.size(); ++w)
        REQUIRE(std::abs(c.diff_weights[w] - direct.diff_weights[w]) <=
                5e-7 * direct.weight_terms[w]);
    for (std::size_t oc = 0; oc < c.bias.size(); ++oc)
        REQUIRE(std::abs(c.diff_bias[oc] - direct.diff_bias[oc]) <= 5e-7 * direct.bias_terms[oc]);
}

void check(Case& c) {
    const Shape& s = c.shape;
    INFO(s.src_channels << "-" << s.dst_channels << " @ " << s.src_height << " x " << s.src_width
                        << ", kernel " << s.kernel_height << " x " << s.kernel_width << ", pad "
                        << s.pad_top << ", " << s.pad_left);
    c.forward();
    c.backward();
    const std::vector<Maximum> maxima = maxima_of(c);
    check_outputs(c, maxima);
    check_gradients(c, Direct(c, maxima));
}

// ---- shapes ------------------------------------------------------------------------------------

struct Axis {
    int kernel, pad_before, pad_after;

    int windows(int src) const { return (src + pad_before + pad_after - kernel + 1) / 2; }
};

Shape shape_of(int src_channels, int dst_blocks, int height, int width, const Axis& rows,
               const Axis& columns) {
    const int block = vector_lanes();
    return {.block = block,
            .src_channels = src_channels,
            .dst_channels = dst_blocks * block,
            .src_height = height,
            .src_width = width,
            .dst_height = rows.windows(height),
            .dst_width = columns.windows(width),
            .kernel_height = rows.kernel,
            .kernel_width = columns.kernel,
            .pad_top = rows.pad_before,
            .pad_left = columns.pad_before};
}
Shape shape_of(int src_channels, int dst_blocks, int height, int width, const Axis& both) {
    return shape_of(src_channels, dst_blocks, height, width, both, both);
}

constexpr Axis kValid{3, 0, 0}, kSame{3, 1, 1}, kSameOf2{2, 0, 1};

// Rows of every length around a tile's, one and several chains, odd numbers of blocks, all numbers
// of channels, kernels whose taps are one group and several, odd rows and columns in no window.
void check_shapes() {
    const auto check_one = [](const Shape& shape, int images) {
        Case c(shape, images);
        check(c);
    };
    for (int width = 4; width <= 34; ++width) check_one(shape_of(3, 1, 4, width, kValid), 1);
    for (const int width : {3, 4, 15, 16, 17, 29, 30, 31})
        check_one(shape_of(3, 2, 5, width, kSame), 2);
    for (const int channels : {1, 2, 3, 4})
        for (const int blocks : {1, 2, 3})
            for (const Axis& both :
                 {Axis{1, 0, 0}, kSameOf2, Axis{5, 2, 2}, Axis{7, 0, 0}, Axis{7, 3, 3}})
                check_one(shape_of(channels, blocks, 9, 8, both), 2);
    check_one(shape_of(3, 2, 32, 32, kSame), 4);
    for (const int width : {66, 134})  // a chain is two rows, and one longer than others
        check_one(shape_of(3, 1, 8, width, kValid), 1);
    check_one(shape_of(3, 1, 9, 7, {3, 0, 0}, {2, 0, 0}), 3);
    check_one(shape_of(2, 3, 8, 9, {1, 0, 0}, {7, 3, 3}), 2);
    check_one(shape_of(4, 1, 7, 6, {5, 2, 2}, {2, 0, 1}), 2);
}

TEST_CASE("first convolution: outputs, bit for bit, and gradients are those of a plain loop",
          "[trainer][kernel]") {
    on_every_target(check_shapes);
}

TEST_CASE("first convolution: of equal pixels the first is the maximum", "[trainer][kernel]") {
    on_every_target([] {
        Case c(shape_of(3, 2, 10, 10, kValid), 2);
        std::fill_n(c.src.data(), c.src.size(), 0.5F);
        check(c);
        for (const PooledPlace place : c.places.span()) REQUIRE(place <= 4);
    });
}

void check_that_nothing_passes(Case& c) {
    check(c);
    const auto is_zero = [](const AlignedArray<float>& array) {
        return std::all_of(array.data(), array.data() + array.size(),
                           [](float value) { return value == 0.0F; });
    };
    CHECK(is_zero(c.dst));
    CHECK(is_zero(c.diff_weights));
    CHECK(is_zero(c.diff_bias));
}

TEST_CASE("first convolution: where nothing is above zero, nothing passes", "[trainer][kernel]") {
    on_every_target([] {
        Case negative(shape_of(3, 3, 10, 11, kSame), 2);
        std::fill_n(negative.bias.data(), negative.bias.size(), -100.0F);
        check_that_nothing_passes(negative);
        Case zero(shape_of(3, 3, 10, 11, kSame), 2);
        std::fill_n(zero.bias.data(), zero.bias.size(), 0.0F);
        std::fill_n(zero.weights.data(), zero.weights.size(), 0.0F);
        check_that_nothing_passes(zero);
    });
}

TEST_CASE("first convolution: an image's bits do not depend on the images beside it",
          "[trainer][kernel]") {
    on_every_target([] {
        for (const Axis& both : {kValid, kSame}) {
            const Shape shape = shape_of(3, 3, 13, 13, both);
            Case all(shape, 5);
            all.forward();
            for (int n = 0; n < all.images; ++n) {
                Case one(shape, 1);
                std::copy_n(all.src.data() + size(n) * one.src.size(), one.src.size(),
                            one.src.data());
                one.forward();
                const auto same = [n](const auto& many, const auto& single) {
                    return std::memcmp(many.data() + size(n) * single.size(), single.data(),
                                       single.size() * sizeof(single[0])) == 0;
                };
                CHECK(same(all.dst, one.dst));
                CHECK(same(all.places, one.places));
            }
        }
    });
}

TEST_CASE("first convolution: shapes it does not compute are refused", "[trainer][kernel]") {
    const Shape fine = shape_of(3, 1, 8, 8, kSame);
    CHECK(FirstConvolutionPool::computes(fine));
    const auto refused = [&](auto change) {
        Shape shape = fine;
        change(shape);
        CHECK_FALSE(FirstConvolutionPool::computes(shape));
        CHECK_THROWS_AS(FirstConvolutionPool(shape), std::invalid_argument);
    };
    refused([](Shape& s) { s.src_channels = 0; });
    refused([](Shape& s) { s.src_channels = 5; });
    refused([](Shape& s) { s.dst_channels += 1; });
    refused([](Shape& s) { s.dst_channels = 0; });
    refused([](Shape& s) { s.block *= 2; });
    refused([](Shape& s) { s.kernel_height = 8; });
    refused([](Shape& s) { s.kernel_width = 0; });
    refused([](Shape& s) { s.pad_left = -1; });
    refused([](Shape& s) { s.pad_top = 3; });
    refused([](Shape& s) { s.dst_height = 0; });
    refused([](Shape& s) { s.dst_width = 0; });
}

}  // namespace
}  // namespace lockstep::trainer
