#include "trainer/kernels/first/first_convolution.hpp"

#include <hwy/highway.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
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

// One convolution with everything it reads and writes, in the layouts of first_convolution.hpp.
struct Case {
    FirstConvolutionShape shape;
    int images;
    FirstConvolution convolution;
    AlignedArray<float> src, weights, bias, dst, diff_dst, diff_src, diff_weights, diff_bias;
    AlignedArray<float> pooled, diff_pooled;
    AlignedArray<PooledPlace> places;
    AlignedArray<float> scratch;

    Case(const FirstConvolutionShape& s, int n)
        : shape(s),
          images(n),
          convolution(s),
          src(random_array(size(n * s.src_channels * s.src_height * s.src_width), 1)),
          weights(random_array(size(s.taps() * s.dst_channels), 2)),
          bias(random_array(size(s.dst_channels), 3)),
          dst(size(n * s.dst_channels * s.dst_height * s.dst_width)),
          diff_dst(random_array(dst.size(), 4)),
          diff_src(src.size()),
          diff_weights(weights.size()),
          diff_bias(bias.size()),
          pooled(size(n * s.dst_channels * s.pooled_height() * s.pooled_width())),
          diff_pooled(random_array(pooled.size(), 5)),
          places(pooled.size()),
          scratch(convolution.scratch_floats()) {
        // What a call before has left must not matter.
        std::fill_n(scratch.data(), scratch.size(), std::nanf(""));
    }

    std::size_t src_at(int n, int c, int y, int x) const {
        return ((size(n * shape.src_channels + c) * size(shape.src_height) + size(y)) *
                    size(shape.src_width) +
                size(x));
    }
    std::size_t dst_at(int n, int c, int y, int x) const {
        return at(n, c, y, x, shape.dst_height, shape.dst_width);
    }
    std::size_t pooled_at(int n, int c, int y, int x) const {
        return at(n, c, y, x, shape.pooled_height(), shape.pooled_width());
    }
    std::size_t weight_at(int oc, int ky, int kx, int ic) const {
        const int tap = (ky * shape.kernel_width + kx) * shape.src_channels + ic;
        return size(oc / shape.block * shape.taps() + tap) * size(shape.block) +
               size(oc % shape.block);
    }

    void forward(bool has_relu) {
        convolution.forward(src.data(), weights.data(), bias.data(), has_relu, dst.data(), images,
                            scratch.data());
    }
    void backward(const float* relu_dst) {
        convolution.backward_weights(src.data(), diff_dst.data(), relu_dst, diff_weights.data(),
                                     diff_bias.data(), images, scratch.data());
    }
    void backward_data(const float* relu_dst) {
        std::fill_n(diff_src.data(), diff_src.size(), std::nanf(""));
        convolution.backward_data(diff_dst.data(), relu_dst, weights.data(), diff_src.data(),
                                  images, scratch.data());
    }
    void forward_pooled() {
        convolution.forward_pooled(src.data(), weights.data(), bias.data(), pooled.data(),
                                   places.data(), images, scratch.data());
    }
    void backward_pooled() {
        convolution.backward_weights_pooled(src.data(), diff_pooled.data(), places.data(),
                                            diff_weights.data(), diff_bias.data(), images,
                                            scratch.data());
    }

private:
    std::size_t at(int n, int c, int y, int x, int height, int width) const {
        const int b = shape.block;
        return ((size(n * shape.dst_blocks() + c / b) * size(height) + size(y)) * size(width) +
                size(x)) *
                   size(b) +
               size(c % b);
    }
};

template <class Visit>
void for_each_output(const FirstConvolutionShape& s, int images, int height, int width,
                     Visit visit) {
    for (int n = 0; n < images; ++n)
        for (int c = 0; c < s.dst_channels; ++c)
            for (int y = 0; y < height; ++y)
                for (int x = 0; x < width; ++x) visit(n, c, y, x);
}

// The definition, in double precision, of the gradient `diff_dst`.
struct Direct {
    std::vector<double> dst, diff_src, diff_weights, diff_bias;
    // Sums of magnitudes: what errors are measured by.
    std::vector<double> src_terms, weight_terms, bias_terms;

    Direct(const Case& c, const AlignedArray<float>& diff_dst)
        : dst(c.dst.size()),
          diff_src(c.src.size()),
          diff_weights(c.weights.size()),
          diff_bias(c.bias.size()),
          src_terms(c.src.size()),
          weight_terms(c.weights.size()),
          bias_terms(c.bias.size()) {
        for_each_output(c.shape, c.images, c.shape.dst_height, c.shape.dst_width,
                        [&](int n, int oc, int y, int x) { add_pixel(c, diff_dst, n, oc, y, x); });
    }

private:
    void add_pixel(const Case& c, const AlignedArray<float>& diff_dst, int n, int oc, int y,
                   int x) {
        const FirstConvolutionShape& s = c.shape;
        const std::size_t out = c.dst_at(n, oc, y, x);
        const double gradient = diff_dst[out];
        dst[out] = c.bias[size(oc)];
        diff_bias[size(oc)] += gradient;
        bias_terms[size(oc)] += std::abs(gradient);
        for (int ky = 0; ky < s.kernel_height; ++ky)
            for (int kx = 0; kx < s.kernel_width; ++kx) {
                const int sy = y * s.stride_y + ky - s.pad_top;
                const int sx = x * s.stride_x + kx - s.pad_left;
                if (sy < 0 || sy >= s.src_height || sx < 0 || sx >= s.src_width) continue;
                for (int ic = 0; ic < s.src_channels; ++ic) {
                    const std::size_t in = c.src_at(n, ic, sy, sx);
                    const double pixel = c.src[in];
                    const std::size_t w = c.weight_at(oc, ky, kx, ic);
                    dst[out] += pixel * c.weights[w];
                    diff_src[in] += gradient * c.weights[w];
                    src_terms[in] += std::abs(gradient * c.weights[w]);
                    diff_weights[w] += pixel * gradient;
                    weight_terms[w] += std::abs(pixel * gradient);
                }
            }
    }
};

void check_gradients(const Case& c, const Direct& direct) {
    for (std::size_t w = 0; w < c.weights.size(); ++w)
        REQUIRE(std::abs(c.diff_weights[w] - direct.diff_weights[w]) <=
                5e-7 * direct.weight_terms[w]);
    for (std::size_t oc = 0; oc < c.bias.size(); ++oc)
        REQUIRE(std::abs(c.diff_bias[oc] - direct.diff_bias[oc]) <= 5e-7 * direct.bias_terms[oc]);
}

struct Window {
    int kernel, stride, pad_before, pad_after;
};

FirstConvolutionShape shape_of(int src_channels, int dst_blocks, int height, int width,
                               const Window& w) {
    const int block = vector_lanes();
    return {.block = block,
            .src_channels = src_channels,
            .dst_channels = dst_blocks * block,
            .src_height = height,
            .src_width = width,
            .dst_height = (height + w.pad_before + w.pad_after - w.kernel) / w.stride + 1,
            .dst_width = (width + w.pad_before + w.pad_after - w.kernel) / w.stride + 1,
            .kernel_height = w.kernel,
            .kernel_width = w.kernel,
            .stride_y = w.stride,
            .stride_x = w.stride,
            .pad_top = w.pad_before,
            .pad_left = w.pad_before};
}

constexpr Window kValid{3, 1, 0, 0}, kSame{3, 1, 1, 1}, kSameOf2{2, 1, 0, 1};

struct Sized {
    FirstConvolutionShape shape;
    int images;
};

// Rows of every length around a tile's, one and several chains, odd numbers of blocks, all numbers
// of channels, kernels whose taps are one group and several.
std::vector<Sized> shapes() {
    std::vector<Sized> all;
    for (int width = 3; width <= 33; ++width) all.push_back({shape_of(3, 1, 4, width, kValid), 1});
    for (const int width : {3, 4, 15, 16, 17, 29, 30, 31})
        all.push_back({shape_of(3, 2, 5, width, kSame), 2});
    for (const int channels : {1, 2, 3, 4})
        for (const int blocks : {1, 2, 3})
            for (const Window& window : {Window{1, 1, 0, 0}, kSameOf2, Window{5, 1, 2, 2},
                                         Window{7, 1, 0, 0}, Window{7, 1, 3, 3}})
                all.push_back({shape_of(channels, blocks, 9, 8, window), 2});
    all.push_back({shape_of(3, 2, 32, 32, kSame), 4});
    all.push_back({shape_of(3, 1, 70, 70, kValid), 1});  // a row is a chain
    FirstConvolutionShape uneven = shape_of(3, 1, 9, 7, kValid);
    uneven.kernel_width = 2;
    uneven.dst_width = 6;
    all.push_back({uneven, 3});
    return all;
}

std::vector<Sized> strided_shapes() {
    std::vector<Sized> all;
    for (const int width : {7, 8, 9, 10, 11, 31, 32, 64})
        all.push_back({shape_of(3, 3, 7, width, {7, 2, 3, 2}), 2});
    all.push_back({shape_of(3, 1, 12, 12, {3, 4, 0, 0}), 2});  // pixels in no window
    for (const int channels : {1, 2, 4})
        all.push_back({shape_of(channels, 2, 9, 17, {5, 3, 2, 2}), 2});
    FirstConvolutionShape uneven = shape_of(2, 2, 9, 9, {3, 1, 1, 1});
    uneven.stride_y = 3;
    uneven.dst_height = 3;
    all.push_back({uneven, 2});
    return all;
}

void check_plain(const Sized& sized) {
    Case c(sized.shape, sized.images);
    const FirstConvolutionShape& s = c.shape;
    INFO(s.src_channels << "-" << s.dst_channels << " @ " << s.src_height << " x " << s.src_width
                        << ", kernel " << s.kernel_height << " x " << s.kernel_width << ", stride "
                        << s.stride_y << ", pad " << s.pad_top);
    c.forward(false);
    c.backward(nullptr);
    c.backward_data(nullptr);
    const Direct direct(c, c.diff_dst);
    for (std::size_t i = 0; i < c.dst.size(); ++i)
        REQUIRE(std::abs(c.dst[i] - direct.dst[i]) <= 1e-7 * (2 + s.taps()));
    check_gradients(c, direct);
    for (std::size_t i = 0; i < c.src.size(); ++i)
        REQUIRE(std::abs(c.diff_src[i] - direct.diff_src[i]) <= 5e-7 * direct.src_terms[i]);
}

TEST_CASE("first convolution: all three directions are the convolution, on every instruction set",
          "[trainer][kernel]") {
    on_every_target([] {
        for (const Sized& sized : shapes()) check_plain(sized);
        for (const Sized& sized : strided_shapes()) check_plain(sized);
    });
}

TEST_CASE("first convolution: ReLU is the maximum with zero, and masks the gradient on its way in",
          "[trainer][kernel]") {
    on_every_target([] {
        for (const int blocks : {1, 2, 3}) {
            Case plain(shape_of(3, blocks, 9, 9, kSame), 2),
                relu(shape_of(3, blocks, 9, 9, kSame), 2);
            plain.forward(false);
            relu.forward(true);
            for (std::size_t i = 0; i < plain.dst.size(); ++i) {
                REQUIRE(relu.dst[i] == std::max(plain.dst[i], 0.0F));
                if (relu.dst[i] <= 0.0F) plain.diff_dst[i] = 0.0F;
            }
            relu.backward(relu.dst.data());
            relu.backward_data(relu.dst.data());
            plain.backward(nullptr);
            plain.backward_data(nullptr);
            for (std::size_t i = 0; i < plain.src.size(); ++i)
                REQUIRE(relu.diff_src[i] == plain.diff_src[i]);
            for (std::size_t w = 0; w < plain.weights.size(); ++w)
                REQUIRE(relu.diff_weights[w] == plain.diff_weights[w]);
            for (std::size_t oc = 0; oc < plain.bias.size(); ++oc)
                REQUIRE(relu.diff_bias[oc] == plain.diff_bias[oc]);
        }
    });
}

// The convolution's gradient that a pooled one stands for: at the first maximum, where it is > 0.
AlignedArray<float> unpooled_gradient(const Case& c) {
    AlignedArray<float> gradient(c.dst.size());
    const FirstConvolutionShape& s = c.shape;
    for_each_output(s, c.images, s.pooled_height(), s.pooled_width(),
                    [&](int n, int oc, int y, int x) {
                        std::size_t best = c.dst_at(n, oc, 2 * y, 2 * x);
                        for (int i = 1; i < 4; ++i) {
                            const std::size_t at = c.dst_at(n, oc, 2 * y + i / 2, 2 * x + i % 2);
                            if (c.dst[at] > c.dst[best]) best = at;
                        }
                        if (c.dst[best] > 0.0F)
                            gradient[best] = c.diff_pooled[c.pooled_at(n, oc, y, x)];
                    });
    return gradient;
}

void check_pooled(Case& c) {
    const FirstConvolutionShape& s = c.shape;
    INFO(s.src_channels << "-" << s.dst_channels << " @ " << s.src_height << " x " << s.src_width
                        << ", kernel " << s.kernel_height << ", pad " << s.pad_top);
    c.forward(true);
    c.forward_pooled();
    c.backward_pooled();
    for_each_output(
        s, c.images, s.pooled_height(), s.pooled_width(), [&](int n, int oc, int y, int x) {
            float best = -1.0F;
            int place = 0;
            for (int i = 0; i < 4; ++i) {
                const float value = c.dst[c.dst_at(n, oc, 2 * y + i / 2, 2 * x + i % 2)];
                if (value > best) place = 2 * (i % 2) + i / 2;
                best = std::max(best, value);
            }
            const std::size_t at = c.pooled_at(n, oc, y, x);
            REQUIRE(c.pooled[at] == best);
            REQUIRE((c.places[at] > 3) == (best > 0.0F));
            if (best > 0.0F) REQUIRE(c.places[at] == 4 + place);
        });
    check_gradients(c, Direct(c, unpooled_gradient(c)));
}

TEST_CASE("first convolution: pooled outputs are the pooling of the outputs, bit for bit",
          "[trainer][kernel]") {
    on_every_target([] {
        for (const Sized& sized : shapes()) {
            Case c(sized.shape, sized.images);
            if (!c.convolution.can_pool()) continue;
            check_pooled(c);
        }
    });
}

TEST_CASE("first convolution: of equal pixels the first is the maximum, of none above zero none",
          "[trainer][kernel]") {
    on_every_target([] {
        Case c(shape_of(3, 2, 10, 10, kValid), 2);
        for (std::size_t i = 0; i < c.src.size(); ++i) c.src[i] = 0.5F;
        check_pooled(c);
        for (const PooledPlace place : c.places.span()) REQUIRE((place == 4 || place == 0));
        std::fill_n(c.weights.data(), c.weights.size(), 0.0F);
        std::fill_n(c.bias.data(), c.bias.size(), 0.0F);
        check_pooled(c);
        for (const float gradient : c.diff_weights.span()) REQUIRE(gradient == 0.0F);
    });
}

TEST_CASE("first convolution: an image's bits do not depend on the images beside it",
          "[trainer][kernel]") {
    on_every_target([] {
        for (const Window& window : {kValid, kSame}) {
            const FirstConvolutionShape shape = shape_of(3, 3, 13, 13, window);
            Case all(shape, 5);
            all.forward(true);
            all.forward_pooled();
            all.backward_data(all.dst.data());
            for (int n = 0; n < all.images; ++n) {
                Case one(shape, 1);
                std::copy_n(all.src.data() + size(n) * one.src.size(), one.src.size(),
                            one.src.data());
                std::copy_n(all.diff_dst.data() + size(n) * one.diff_dst.size(),
                            one.diff_dst.size(), one.diff_dst.data());
                one.forward(true);
                one.forward_pooled();
                one.backward_data(one.dst.data());
                const auto same = [n](const auto& many, const auto& single) {
                    return std::memcmp(many.data() + size(n) * single.size(), single.data(),
                                       single.size() * sizeof(single[0])) == 0;
                };
                CHECK(same(all.dst, one.dst));
                CHECK(same(all.diff_src, one.diff_src));
                CHECK(same(all.pooled, one.pooled));
                CHECK(same(all.places, one.places));
            }
        }
    });
}

TEST_CASE("first convolution: shapes it does not compute are refused", "[trainer][kernel]") {
    const FirstConvolutionShape fine = shape_of(3, 1, 8, 8, kValid);
    const auto refused = [&](auto change) {
        FirstConvolutionShape shape = fine;
        change(shape);
        CHECK_THROWS_AS(FirstConvolution(shape), std::invalid_argument);
    };
    refused([](auto& s) { s.src_channels = 0; });
    refused([](auto& s) { s.src_channels = 5; });
    refused([](auto& s) { s.dst_channels += 1; });
    refused([](auto& s) { s.block *= 2; });
    refused([](auto& s) { s.kernel_height = 8; });
    refused([](auto& s) { s.stride_x = 0; });
    refused([](auto& s) { s.pad_left = -1; });
    CHECK(FirstConvolution(fine).can_pool());
    CHECK_FALSE(FirstConvolution(shape_of(3, 1, 8, 8, {3, 2, 0, 0})).can_pool());
    CHECK_FALSE(FirstConvolution(shape_of(3, 1, 3, 8, kValid)).can_pool());
}

}  // namespace
}  // namespace lockstep::trainer
