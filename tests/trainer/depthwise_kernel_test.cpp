// Our own depthwise convolutions against their definition in double, on every instruction set of
// this machine.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/random_values.hpp"
#include "tests/trainer/every_target.hpp"
#include "tests/trainer/random_array.hpp"
#include "trainer/config/architecture.hpp"
#include "trainer/kernels/aligned_array.hpp"
#include "trainer/kernels/depthwise/depthwise.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

constexpr int kImages = 3;

std::size_t size_of(int value) { return static_cast<std::size_t>(value); }

DepthwiseShape shape_of(int block, int kernel, int stride, int rate, int height, int width) {
    const int reach = (kernel - 1) * rate + 1;
    const Window rows = window_of(height, reach, stride, Padding::same);
    const Window columns = window_of(width, reach, stride, Padding::same);
    return {.block = block,
            .channels = 2 * block,
            .src_height = height,
            .src_width = width,
            .dst_height = rows.output,
            .dst_width = columns.output,
            .kernel_size = {kernel, kernel},
            .strides = {stride, stride},
            .dilation_rate = {rate, rate},
            .pad_before = {rows.pad_before, columns.pad_before}};
}

std::vector<DepthwiseShape> shapes() {
    std::vector<DepthwiseShape> all;
    for (const int block : {8, 16})
        for (const auto& [kernel, stride, rate] : {std::array{3, 1, 1},
                                                   {3, 2, 1},
                                                   {3, 3, 1},
                                                   {3, 1, 2},
                                                   {5, 1, 1},
                                                   {5, 2, 1},
                                                   {2, 2, 1},
                                                   {1, 1, 1}})
            for (const auto& [height, width] :
                 {std::array{1, 1}, {2, 3}, {4, 4}, {5, 7}, {3, 17}, {20, 9}})
                all.push_back(shape_of(block, kernel, stride, rate, height, width));
    return all;
}

// Calls visit(place in src, in dst, in the weights, channel) for every product of an image's.
template <class Visit>
void for_each_product(const DepthwiseShape& s, int image, Visit visit) {
    const std::size_t block = size_of(s.block);
    const std::size_t first = size_of(image * s.blocks());
    for (std::size_t b = 0; b < size_of(s.blocks()); ++b)
        for (int y = 0; y < s.dst_height; ++y)
            for (int x = 0; x < s.dst_width; ++x)
                for (int tap = 0; tap < s.taps(); ++tap) {
                    const int i = tap / s.kernel_size[1], j = tap % s.kernel_size[1];
                    const int h = y * s.strides[0] + i * s.dilation_rate[0] - s.pad_before[0];
                    const int w = x * s.strides[1] + j * s.dilation_rate[1] - s.pad_before[1];
                    if (h < 0 || h >= s.src_height || w < 0 || w >= s.src_width) continue;
                    for (std::size_t c = 0; c < block; ++c)
                        visit(
                            (first + b) * s.src_plane() + size_of(h * s.src_width + w) * block + c,
                            (first + b) * s.dst_plane() + size_of(y * s.dst_width + x) * block + c,
                            b * s.filter() + size_of(tap) * block + c);
                }
}

struct Given {
    AlignedArray<float> src, weights, bias, diff_dst;

    explicit Given(const DepthwiseShape& s)
        : src(random_array(size_of(kImages * s.blocks()) * s.src_plane(), 1)),
          weights(random_array(size_of(s.blocks()) * s.filter(), 2)),
          bias(random_array(size_of(s.channels), 3)),
          diff_dst(random_array(size_of(kImages * s.blocks()) * s.dst_plane(), 4)) {}
};

void check_shape(const DepthwiseShape& s) {
    CAPTURE(s.block, s.kernel_size[0], s.strides[0], s.dilation_rate[0], s.src_height, s.src_width);
    const Given given(s);
    const Depthwise kernel(s);
    Values dst(given.diff_dst.size()), diff_src(given.src.size()),
        diff_weights(given.weights.size()), diff_bias(given.bias.size());
    for (std::size_t i = 0; i < dst.size(); ++i) {
        const std::size_t block = size_of(s.block);
        const std::size_t c = i / s.dst_plane() % size_of(s.blocks()) * block + i % block;
        dst[i] = static_cast<double>(given.bias.span()[c]);
        diff_bias[c] += static_cast<double>(given.diff_dst.span()[i]);
    }
    for (int n = 0; n < kImages; ++n)
        for_each_product(s, n, [&](std::size_t src, std::size_t out, std::size_t weight) {
            const double x = given.src.span()[src], w = given.weights.span()[weight];
            const double diff = given.diff_dst.span()[out];
            dst[out] += x * w;
            diff_src[src] += diff * w;
            diff_weights[weight] += diff * x;
        });

    AlignedArray<float> found(dst.size()), found_src(diff_src.size()),
        found_weights(diff_weights.size()), found_bias(diff_bias.size());
    kernel.forward(given.src.data(), given.weights.data(), given.bias.data(), false, found.data(),
                   kImages);
    check_close("forward", found.span(), dst, 2e-6);
    kernel.backward_data(given.diff_dst.data(), given.weights.data(), found_src.data(), kImages);
    check_close("data", found_src.span(), diff_src, 2e-6);
    kernel.backward_weights(given.src.data(), given.diff_dst.data(), found_weights.data(),
                            found_bias.data(), kImages);
    check_close("weights", found_weights.span(), diff_weights, 4e-6);
    check_close("bias", found_bias.span(), diff_bias, 4e-6);

    const std::vector<float> without(found.span().begin(), found.span().end());
    kernel.forward(given.src.data(), given.weights.data(), given.bias.data(), true, found.data(),
                   kImages);
    bool is_relu = true;
    for (std::size_t i = 0; i < without.size(); ++i)
        is_relu = is_relu && found[i] == std::max(without[i], 0.0F);
    CHECK(is_relu);
}

}  // namespace

TEST_CASE("depthwise kernels are their definition", "[trainer][kernel]") {
    on_every_target([] {
        for (const DepthwiseShape& shape : shapes()) check_shape(shape);
    });
}

TEST_CASE("depthwise kernels give an image the same bits however many stand beside it",
          "[trainer][kernel]") {
    on_every_target([] {
        for (const DepthwiseShape& s : shapes()) {
            CAPTURE(s.block, s.kernel_size[0], s.strides[0], s.src_height, s.src_width);
            const Given given(s);
            const Depthwise kernel(s);
            AlignedArray<float> all(given.diff_dst.size()), all_src(given.src.size());
            kernel.forward(given.src.data(), given.weights.data(), given.bias.data(), true,
                           all.data(), kImages);
            kernel.backward_data(given.diff_dst.data(), given.weights.data(), all_src.data(),
                                 kImages);
            const std::size_t dst = all.size() / kImages, src = all_src.size() / kImages;
            AlignedArray<float> one(dst), one_src(src);
            for (std::size_t n = 0; n < kImages; ++n) {
                kernel.forward(given.src.data() + n * src, given.weights.data(), given.bias.data(),
                               true, one.data(), 1);
                kernel.backward_data(given.diff_dst.data() + n * dst, given.weights.data(),
                                     one_src.data(), 1);
                CHECK(std::ranges::equal(one.span(), all.span().subspan(n * dst, dst)));
                CHECK(std::ranges::equal(one_src.span(), all_src.span().subspan(n * src, src)));
            }
        }
    });
}
