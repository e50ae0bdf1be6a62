#include "trainer/kernels/first/first_convolution_pool.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>

#include "trainer/kernels/first/operands.hpp"
#include "trainer/kernels/vector_lanes.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/first/first_convolution_pool.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/first/gradients-inl.hpp"
#include "trainer/kernels/first/outputs-inl.hpp"
#include "trainer/kernels/first/planes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Shape = FirstConvolutionPool::Shape;
using Planes = FirstConvolutionPool::Planes;

HWY_ATTR void FirstForward(const Shape& s, const Planes& planes, const float* src,
                           const FirstOutputs& out, int images, float* scratch) {
    constexpr int kMostBlocks = 2;  // in a tile
    const std::size_t row = size(s.dst_width) * size(s.block), plane = size(s.dst_height) * row;
    const PaddedPlanes padded(s, planes, src, scratch);
    for (int n = 0; n < images; ++n) {
        const float* image = padded.of(n);
        for (int block = 0; block < s.dst_blocks(); block += kMostBlocks) {
            const bool is_pair = block + 1 < s.dst_blocks();
            const std::size_t to = size(n * s.dst_blocks() + block) * plane;
            for (int y = 0; y < s.dst_height; ++y) {
                const OutputTile t{.src = image + size(2 * y) * size(planes.width),
                                   .src_row = size(planes.width),
                                   .tap_places = planes.tap_places.data(),
                                   .taps = s.taps(),
                                   .weights = out.weights + size(block * s.taps() * s.block),
                                   .bias = out.bias + size(block * s.block),
                                   .dst = out.dst + to + size(y) * row,
                                   .places = out.places + to + size(y) * row,
                                   .dst_block = plane};
                is_pair ? compute_row<2>(t, s.dst_width) : compute_row<1>(t, s.dst_width);
            }
        }
    }
}

// One block of channels of one image. chain: what all its chains share, and the first one's places.
HWY_ATTR void add_plane(GradientChain chain, int height, int taps) {
    // Short sums have small errors, and long ones are seldom stored.
    const int rows = std::max(1, 64 / chain.columns);
    const std::size_t step = size(rows) * size(chain.columns) * hn::Lanes(D());
    for (int y = 0; y < height; y += rows) {
        chain.rows = std::min(rows, height - y);
        add_taps(chain, taps);
        chain.adds = true;
        chain.pairs += size(rows) * chain.pairs_row;
        chain.diff_dst += step;
        chain.places += step;
    }
}

HWY_ATTR void FirstBackwardWeights(const Shape& s, const Planes& planes, const float* src,
                                   const FirstGradients& g, int images, float* scratch) {
    const std::size_t plane = size(s.dst_height) * size(s.dst_width) * size(s.block);
    const std::size_t floats = planes.floats(s.src_channels);
    const PaddedPlanes padded(s, planes, src, scratch);
    float* pairs = scratch + floats;
    for (int n = 0; n < images; ++n) {
        pair_rows(padded.of(n), floats, size(planes.width), pairs);
        for (int block = 0; block < s.dst_blocks(); ++block) {
            const std::size_t from = size(n * s.dst_blocks() + block) * plane;
            add_plane({.pairs = pairs,
                       .pairs_row = 4 * size(planes.width),
                       .tap_places = planes.tap_places.data(),
                       .diff_dst = g.diff_dst + from,
                       .places = g.places + from,
                       .rows = 0,
                       .columns = s.dst_width,
                       .diff_weights = g.diff_weights + size(block * s.taps() * s.block),
                       .diff_bias = g.diff_bias + size(block * s.block),
                       .adds = n > 0},
                      s.dst_height, s.taps());
        }
    }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(FirstForward);
HWY_EXPORT(FirstBackwardWeights);

namespace {

FirstConvolutionPool::Planes planes_of(const FirstConvolutionPool::Shape& s) {
    const int needed_height = 2 * s.dst_height - 1 + s.kernel_height;
    const int needed_width = 2 * s.dst_width - 1 + s.kernel_width;
    FirstConvolutionPool::Planes planes;
    planes.are_copied = std::max(s.pad_top, s.pad_left) > 0 || needed_height > s.src_height ||
                        needed_width > s.src_width;
    planes.height = planes.are_copied ? needed_height : s.src_height;
    planes.width = planes.are_copied ? needed_width : s.src_width;
    for (int y = 0; y < s.kernel_height; ++y)
        for (int x = 0; x < s.kernel_width; ++x)
            for (int c = 0; c < s.src_channels; ++c)
                planes.tap_places.push_back((std::ptrdiff_t{c} * planes.height + y) * planes.width +
                                            x);
    return planes;
}

}  // namespace

bool FirstConvolutionPool::computes(const Shape& s) {
    const auto is_within = [](int value, int least, int most) {
        return least <= value && value <= most;
    };
    return s.block == vector_lanes() && s.dst_channels > 0 && s.dst_channels % s.block == 0 &&
           is_within(s.src_channels, 1, 4) && is_within(s.kernel_height, 1, 7) &&
           is_within(s.kernel_width, 1, 7) && is_within(s.pad_top, 0, s.kernel_height - 1) &&
           is_within(s.pad_left, 0, s.kernel_width - 1) &&
           std::min({s.src_height, s.src_width, s.dst_height, s.dst_width}) > 0;
}

FirstConvolutionPool::FirstConvolutionPool(const Shape& shape) : shape_(shape) {
    if (!computes(shape))
        throw std::invalid_argument(
            "a first convolution with pooling takes 1 to 4 channels of pixels, kernels of 1 to 7, "
            "less padding in front than taps, whole blocks of output channels, and has a window at "
            "least");
    planes_ = planes_of(shape);
}

std::size_t FirstConvolutionPool::scratch_floats() const {
    return 3 * planes_.floats(shape_.src_channels);  // planes, and pairs of their rows
}

void FirstConvolutionPool::forward(const float* src, const float* weights, const float* bias,
                                   float* dst, PooledPlace* places, int images,
                                   float* scratch) const {
    HWY_DYNAMIC_DISPATCH(FirstForward)
    (shape_, planes_, src, {weights, bias, dst, places}, images, scratch);
}

void FirstConvolutionPool::backward_weights(const float* src, const float* diff_dst,
                                            const PooledPlace* places, float* diff_weights,
                                            float* diff_bias, int images, float* scratch) const {
    HWY_DYNAMIC_DISPATCH(FirstBackwardWeights)
    (shape_, planes_, src, {diff_dst, places, diff_weights, diff_bias}, images, scratch);
}

}  // namespace lockstep::trainer
#endif  // HWY_ONCE
