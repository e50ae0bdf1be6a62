#include "trainer/kernels/first/first_convolution.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>

#include "trainer/kernels/first/operands.hpp"
#include "trainer/kernels/vector_lanes.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/first/first_convolution.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/first/gradients-inl.hpp"
#include "trainer/kernels/first/outputs-inl.hpp"
#include "trainer/kernels/first/planes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Planes = FirstConvolution::Planes;

// Blocks of output channels, `most` at a time; fewer at the end.
template <class Compute>
HWY_ATTR void for_each_group(int blocks, int most, Compute compute) {
    for (int first = 0; first < blocks; first += most)
        compute(first, std::min(most, blocks - first));
}

// ---- forward -----------------------------------------------------------------------------------

HWY_ATTR void compute_output_row(const OutputTile& t, int vectors, int columns) {
    if (t.src_step != 1)
        compute_row(kOutputKernels<1, false>, t, t.src_step, columns);
    else
        vectors == 2 ? compute_row(kOutputKernels<2, true>, t, 1, columns)
                     : compute_row(kOutputKernels<1, true>, t, 1, columns);
}

HWY_ATTR void compute_pooled_row(const OutputTile& t, int vectors, int columns) {
    vectors == 2 ? compute_row(kPooledKernels<2>, t, 2, columns)
                 : compute_row(kPooledKernels<1>, t, 2, columns);
}

HWY_ATTR void FirstForward(const FirstConvolutionShape& s, const Planes& planes, const float* src,
                           const FirstOutputs& out, int images, float* scratch) {
    const bool is_pooled = out.places != nullptr;
    const int height = is_pooled ? s.pooled_height() : s.dst_height;
    const int width = is_pooled ? s.pooled_width() : s.dst_width;
    const std::size_t row = size(width) * size(s.block), plane = size(height) * row;
    const std::size_t src_row = size(planes.width) * size(is_pooled ? 2 : s.stride_y);
    const PaddedPlanes padded(s, planes, src, scratch);
    const int most = s.stride_x == 1 ? 2 : 1;  // blocks in a tile
    for (int n = 0; n < images; ++n) {
        const float* image = padded.of(n);
        for_each_group(s.dst_blocks(), most, [&](int first, int vectors) HWY_ATTR {
            const std::size_t to = size(n * s.dst_blocks() + first) * plane;
            for (int y = 0; y < height; ++y) {
                const OutputTile t{.src = image + size(y) * src_row,
                                   .src_row = size(planes.width),
                                   .src_step = size(s.stride_x),
                                   .tap_places = planes.tap_places.data(),
                                   .taps = s.taps(),
                                   .weights = out.weights + size(first * s.taps() * s.block),
                                   .bias = out.bias + size(first * s.block),
                                   .has_relu = out.has_relu,
                                   .dst = out.dst + to + size(y) * row,
                                   .dst_block = plane,
                                   .places = is_pooled ? out.places + to + size(y) * row : nullptr};
                is_pooled ? compute_pooled_row(t, vectors, width)
                          : compute_output_row(t, vectors, width);
            }
        });
    }
}

// ---- backward weights --------------------------------------------------------------------------

// Rows of one chain: short sums have small errors, and long ones are seldom stored.
inline int rows_of_chain(int width) { return std::max(1, 64 / width); }

// Blocks of channels in one chain.
template <ChainKind kKind>
inline constexpr int kBlocks = (kKind == ChainKind::dense) && (HWY_MAX_BYTES >= 64) ? 2 : 1;

// One or two blocks of channels of one image. chain: what all its chains share, and the first one's
// places.
template <ChainKind kKind>
HWY_ATTR void add_planes(GradientChain chain, int blocks, int height, int taps) {
    const int rows = rows_of_chain(chain.columns);
    const std::size_t step = size(rows) * size(chain.columns) * hn::Lanes(D());
    for (int y = 0; y < height; y += rows) {
        chain.rows = std::min(rows, height - y);
        if constexpr (kBlocks<kKind> == 2)
            blocks == 2 ? add_taps(kGradientKernels<kKind, 2>, chain, taps)
                        : add_taps(kGradientKernels<kKind, 1>, chain, taps);
        else
            add_taps(kGradientKernels<kKind, 1>, chain, taps);
        chain.adds = true;
        chain.src += size(rows) * chain.src_row;
        chain.diff_dst += step;
        if (chain.relu_dst != nullptr) chain.relu_dst += step;
        if (chain.places != nullptr) chain.places += step;
    }
}

template <ChainKind kKind>
HWY_ATTR void add_images(const FirstConvolutionShape& s, const Planes& planes, const float* src,
                         const FirstGradients& g, int images, float* scratch) {
    constexpr bool kIsPooled = kKind == ChainKind::pooled;
    const int height = kIsPooled ? s.pooled_height() : s.dst_height;
    const int width = kIsPooled ? s.pooled_width() : s.dst_width;
    const std::size_t plane = size(height) * size(width) * size(s.block);
    const std::size_t floats = planes.floats(s.src_channels);
    const PaddedPlanes padded(s, planes, src, scratch);
    float* pairs = scratch + floats;
    for (int n = 0; n < images; ++n) {
        const float* image = padded.of(n);
        if constexpr (kIsPooled) {
            pair_rows(image, floats, size(planes.width), pairs);
            image = pairs;
        }
        for_each_group(s.dst_blocks(), kBlocks<kKind>, [&](int block, int blocks) HWY_ATTR {
            const std::size_t from = size(n * s.dst_blocks() + block) * plane;
            add_planes<kKind>({.src = image,
                               .src_row = size(planes.width) * size(kIsPooled ? 4 : s.stride_y),
                               .src_step = size(kIsPooled ? 4 : s.stride_x),
                               .tap_places = planes.tap_places.data(),
                               .diff_dst = g.diff_dst + from,
                               .relu_dst = g.relu_dst == nullptr ? nullptr : g.relu_dst + from,
                               .places = g.places == nullptr ? nullptr : g.places + from,
                               .dst_block = plane,
                               .rows = 0,
                               .columns = width,
                               .diff_weights = g.diff_weights + size(block * s.taps() * s.block),
                               .diff_bias = g.diff_bias + size(block * s.block),
                               .weights_block = size(s.taps() * s.block),
                               .adds = n > 0},
                              blocks, height, s.taps());
        });
    }
}

HWY_ATTR void FirstBackwardWeights(const FirstConvolutionShape& s, const Planes& planes,
                                   const float* src, const FirstGradients& g, int images,
                                   float* scratch) {
    if (g.places != nullptr)
        add_images<ChainKind::pooled>(s, planes, src, g, images, scratch);
    else if (s.stride_x == 1)
        add_images<ChainKind::dense>(s, planes, src, g, images, scratch);
    else
        add_images<ChainKind::strided>(s, planes, src, g, images, scratch);
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(FirstForward);
HWY_EXPORT(FirstBackwardWeights);

namespace {

FirstConvolution::Planes planes_of(const FirstConvolutionShape& s) {
    const int needed_height = (s.dst_height - 1) * s.stride_y + s.kernel_height;
    const int needed_width = (s.dst_width - 1) * s.stride_x + s.kernel_width;
    FirstConvolution::Planes planes;
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

bool FirstConvolution::computes(const FirstConvolutionShape& s) {
    const auto is_within = [](int value, int least, int most) {
        return least <= value && value <= most;
    };
    return s.block == vector_lanes() && s.dst_channels > 0 && s.dst_channels % s.block == 0 &&
           is_within(s.src_channels, 1, 4) && is_within(s.kernel_height, 1, 7) &&
           is_within(s.kernel_width, 1, 7) && is_within(s.pad_top, 0, s.kernel_height - 1) &&
           is_within(s.pad_left, 0, s.kernel_width - 1) && std::min(s.stride_y, s.stride_x) > 0 &&
           std::min({s.src_height, s.src_width, s.dst_height, s.dst_width}) > 0;
}

FirstConvolution::FirstConvolution(const FirstConvolutionShape& shape) : shape_(shape) {
    if (!computes(shape))
        throw std::invalid_argument(
            "a first convolution takes 1 to 4 channels of pixels, kernels of 1 to 7, less padding "
            "in front than taps, and whole blocks of output channels");
    planes_ = planes_of(shape);
}

bool FirstConvolution::can_pool() const {
    return shape_.stride_y == 1 && shape_.stride_x == 1 && shape_.pooled_height() > 0 &&
           shape_.pooled_width() > 0;
}

std::size_t FirstConvolution::scratch_floats() const {
    const std::size_t planes = planes_.floats(shape_.src_channels);
    return std::max(3 * planes, data_scratch_floats());  // planes, and pairs of their rows
}

void FirstConvolution::forward(const float* src, const float* weights, const float* bias,
                               bool has_relu, float* dst, int images, float* scratch) const {
    HWY_DYNAMIC_DISPATCH(FirstForward)
    (shape_, planes_, src, {weights, bias, has_relu, dst, nullptr}, images, scratch);
}

void FirstConvolution::backward_weights(const float* src, const float* diff_dst,
                                        const float* relu_dst, float* diff_weights,
                                        float* diff_bias, int images, float* scratch) const {
    HWY_DYNAMIC_DISPATCH(FirstBackwardWeights)
    (shape_, planes_, src, {diff_dst, relu_dst, nullptr, diff_weights, diff_bias}, images, scratch);
}

void FirstConvolution::forward_pooled(const float* src, const float* weights, const float* bias,
                                      float* dst, PooledPlace* places, int images,
                                      float* scratch) const {
    HWY_DYNAMIC_DISPATCH(FirstForward)
    (shape_, planes_, src, {weights, bias, true, dst, places}, images, scratch);
}

void FirstConvolution::backward_weights_pooled(const float* src, const float* diff_dst,
                                               const PooledPlace* places, float* diff_weights,
                                               float* diff_bias, int images, float* scratch) const {
    HWY_DYNAMIC_DISPATCH(FirstBackwardWeights)
    (shape_, planes_, src, {diff_dst, nullptr, places, diff_weights, diff_bias}, images, scratch);
}

}  // namespace lockstep::trainer
#endif  // HWY_ONCE
