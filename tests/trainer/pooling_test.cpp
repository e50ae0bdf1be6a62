// Pooling against plain loops: clipped windows, ties, gradients.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/layer_check.hpp"
#include "tests/support/random_values.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

using Pair = std::array<int, 2>;

LayerProbeSetting pooling(const PoolingConfig& config, const Shape& input) {
    LayerProbeSetting setting;
    setting.config = {"pooling", config};
    setting.input = input;
    return setting;
}

// The gradient of max pooling by its definition: to the first maximum of each window in row-major
// order, added up where windows overlap. Windows as Keras places them.
std::vector<float> plain_max_gradient(const LayerProbe& probe, const PoolingConfig& config,
                                      const std::vector<float>& src,
                                      const std::vector<float>& diff_dst) {
    const Shape& in = probe.shape().input;
    const Shape& out = probe.shape().output;
    const auto at = [](const Shape& s, int n, int h, int w, int c) {
        return static_cast<std::size_t>(((n * s.height + h) * s.width + w) * s.channels + c);
    };
    const auto start = [&](int position, int size, std::size_t axis) {
        const int windows = (size + config.strides[axis] - 1) / config.strides[axis];
        const int zeros =
            std::max(0, (windows - 1) * config.strides[axis] + config.pool_size[axis] - size);
        return position * config.strides[axis] - (config.padding == Padding::same ? zeros / 2 : 0);
    };
    std::vector<float> diff_src(src.size(), 0.0F);
    for (int n = 0; n < probe.batch(); ++n)
        for (int oh = 0; oh < out.height; ++oh)
            for (int ow = 0; ow < out.width; ++ow)
                for (int c = 0; c < in.channels; ++c) {
                    const int top = start(oh, in.height, 0), left = start(ow, in.width, 1);
                    std::size_t best = src.size();
                    for (int h = std::max(top, 0);
                         h < std::min(top + config.pool_size[0], in.height); ++h)
                        for (int w = std::max(left, 0);
                             w < std::min(left + config.pool_size[1], in.width); ++w)
                            if (best == src.size() || src[at(in, n, h, w, c)] > src[best])
                                best = at(in, n, h, w, c);
                    diff_src[best] += diff_dst[at(out, n, oh, ow, c)];
                }
    return diff_src;
}

std::vector<PoolingConfig> all_windows(PoolingKind kind) {
    std::vector<PoolingConfig> all;
    for (const Padding padding : {Padding::valid, Padding::same})
        for (const Pair pool_size : {Pair{1, 1}, Pair{2, 2}, Pair{3, 3}, Pair{3, 2}, Pair{5, 4}})
            for (const Pair strides : {Pair{1, 1}, Pair{2, 2}, Pair{3, 3}, Pair{2, 1}})
                all.push_back({kind, pool_size, strides, padding});
    return all;
}

#define CAPTURE_WINDOW(config)                                                 \
    CAPTURE((config).pool_size[0], (config).pool_size[1], (config).strides[0], \
            (config).strides[1], (config).padding == Padding::same)

}  // namespace

TEST_CASE("max and average pooling: overlaps, gaps and padding", "[trainer][layer]") {
    for (const PoolingKind kind : {PoolingKind::max, PoolingKind::average})
        for (const PoolingConfig& config : all_windows(kind)) {
            CAPTURE_WINDOW(config);
            check_layer(pooling(config, {7, 6, 3, false}));
        }
}

TEST_CASE("pooling: channels in full vectors and not", "[trainer][layer]") {
    for (const PoolingKind kind : {PoolingKind::max, PoolingKind::average})
        for (const int channels : {1, 8, 10, 16, 32, 48})
            check_layer(pooling({.kind = kind}, {5, 4, channels, false}));
}

TEST_CASE("pooling: rows of several windows at once, and what is left of them",
          "[trainer][layer]") {
    for (const PoolingKind kind : {PoolingKind::max, PoolingKind::average})
        for (const int width : {9, 13, 15})
            for (const int stride : {1, 2, 3}) {
                CAPTURE(width, stride);
                LayerProbeSetting setting =
                    pooling({kind, {3, 3}, {stride, stride}, Padding::same}, {4, width, 16, false});
                setting.batch = 1;
                check_layer(setting);
            }
}

TEST_CASE("max pooling: among equal values the first in row-major order gets the gradient",
          "[trainer][layer]") {
    const Communicator comm(MPI_COMM_SELF);
    RandomValues random(1);
    for (const Shape& image :
         {Shape{7, 6, 3, false}, Shape{7, 6, 16, false}, Shape{5, 17, 16, false}})
        for (const PoolingConfig& config : all_windows(PoolingKind::max)) {
            CAPTURE_WINDOW(config);
            CAPTURE(image.width, image.channels);
            LayerProbe probe(pooling(config, image), comm);
            // Few values, so that most windows have ties; whole numbers, so that sums are exact.
            std::vector<float> src(static_cast<std::size_t>(5 * probe.shape().input.size()));
            for (float& value : src) value = static_cast<float>(random.below(3)) - 1.0F;
            std::vector<float> diff_dst(static_cast<std::size_t>(5 * probe.shape().output.size()));
            for (float& value : diff_dst) value = static_cast<float>(random.below(64)) - 32.0F;
            probe.forward(src);
            CHECK(probe.backward(diff_dst) == plain_max_gradient(probe, config, src, diff_dst));
        }
}

TEST_CASE("max pooling: windows of more places than a byte counts", "[trainer][layer]") {
    const Communicator comm(MPI_COMM_SELF);
    RandomValues random(3);
    const Shape image{32, 32, 8, false};
    // 256 places, 289, 1024; windows that padding makes far larger than the image.
    for (const PoolingConfig& config : std::vector<PoolingConfig>{
             {.pool_size = {16, 16}, .strides = {16, 16}},
             {.pool_size = {17, 17}, .strides = {17, 17}, .padding = Padding::same},
             {.pool_size = {17, 17}, .strides = {5, 5}},
             {.pool_size = {32, 32}, .strides = {32, 32}},
             {.pool_size = {1024, 1024}, .strides = {1, 3}, .padding = Padding::same}}) {
        CAPTURE_WINDOW(config);
        LayerProbeSetting setting = pooling(config, image);
        setting.batch = 2;
        LayerProbe probe(setting, comm);
        std::vector<float> src(static_cast<std::size_t>(2 * image.size()));
        for (float& value : src) value = static_cast<float>(random.uniform(-1.0, 1.0));
        std::vector<float> diff_dst(static_cast<std::size_t>(2 * probe.shape().output.size()));
        for (float& value : diff_dst) value = static_cast<float>(random.below(64)) - 32.0F;
        probe.forward(src);
        CHECK(probe.backward(diff_dst) == plain_max_gradient(probe, config, src, diff_dst));
    }
}

TEST_CASE("max pooling: the gradient of a 17 x 17 window is the finite difference",
          "[trainer][layer]") {
    check_layer(pooling({.pool_size = {17, 17}, .strides = {17, 17}}, {18, 17, 3, false}));
    check_layer(pooling({.pool_size = {40, 40}, .strides = {9, 9}, .padding = Padding::same},
                        {18, 17, 3, false}));
}

TEST_CASE("max pooling applies the ReLU gradient of the layer in front", "[trainer][layer]") {
    const Communicator comm(MPI_COMM_SELF);
    RandomValues random(2);
    const PoolingConfig config{.pool_size = {3, 3}, .strides = {2, 2}, .padding = Padding::same};
    LayerProbeSetting setting = pooling(config, {7, 6, 16, false});
    setting.masks_src_relu = true;
    LayerProbe probe(setting, comm);
    // Most windows are all zeros, as behind a ReLU that is often off.
    std::vector<float> src(static_cast<std::size_t>(5 * probe.shape().input.size()));
    for (float& value : src) value = static_cast<float>(random.below(20)) - 17.0F;
    for (float& value : src) value = std::max(value, 0.0F);
    std::vector<float> diff_dst(static_cast<std::size_t>(5 * probe.shape().output.size()));
    for (float& value : diff_dst) value = static_cast<float>(random.below(64)) - 32.0F;
    probe.forward(src);
    auto expected = plain_max_gradient(probe, config, src, diff_dst);
    for (std::size_t i = 0; i < src.size(); ++i)
        if (src[i] == 0.0F) expected[i] = 0.0F;
    CHECK(probe.backward(diff_dst) == expected);
}

TEST_CASE("average pooling divides by the pixels inside", "[trainer][layer]") {
    const Communicator comm(MPI_COMM_SELF);
    const PoolingConfig config{PoolingKind::average, {2, 2}, {2, 2}, Padding::same};
    LayerProbeSetting setting = pooling(config, {3, 3, 1, false});
    setting.batch = 1;
    LayerProbe probe(setting, comm);
    CHECK(probe.forward(std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9}) ==
          std::vector<float>{3.0F, 4.5F, 7.5F, 9.0F});
    CHECK(probe.backward(std::vector<float>{4, 2, 2, 1}) ==
          std::vector<float>{1, 1, 1, 1, 1, 1, 1, 1, 1});
}

TEST_CASE("max pooling lets a NaN through where it stands first", "[trainer][layer]") {
    const Communicator comm(MPI_COMM_SELF);
    LayerProbeSetting setting = pooling({}, {2, 2, 1, false});
    setting.batch = 1;
    LayerProbe probe(setting, comm);
    CHECK(std::isnan(probe.forward(std::vector<float>{std::nanf(""), 1, 2, 3})[0]));
}
