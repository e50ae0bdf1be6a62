#include "trainer/kernels/winograd/winograd_convolution.hpp"

#include <algorithm>
#include <array>

#include "trainer/kernels/onednn.hpp"
#include "trainer/kernels/vector_lanes.hpp"
#include "trainer/kernels/winograd/geometry.hpp"

namespace lockstep::trainer {
namespace {

WinogradShape shape_of(const ConvolutionFormat& format) {
    const ConvolutionShape& shape = format.shape();
    return {.block = format.src().block,
            .src_channels = format.src_channels(),
            .dst_channels = format.dst_channels(),
            .src_height = shape.src.height,
            .src_width = shape.src.width,
            .dst_height = shape.dst.height,
            .dst_width = shape.dst.width,
            .pad_top = shape.pad_before[0],
            .pad_left = shape.pad_before[1],
            .taps = shape.kernel_size[0]};
}

constexpr int kSomeFilters = 128 * 128, kManyFilters = 256 * 256;

int filters_of(const ConvolutionShape& shape) { return shape.src.channels * shape.dst.channels; }

// Pixels of output a side that repay the transform of the filters.
int least_side(const ConvolutionShape& shape, int block) {
    if (shape.kernel_size[0] == 2) return 8;
    if (filters_of(shape) >= kManyFilters) return 7;
    const bool is_lopsided = shape.dst.channels <= block && shape.src.channels > 4 * block;
    return filters_of(shape) > kSomeFilters || is_lopsided ? 6 : 4;
}

// Pixels of output in a call that repay it, which takes as long however few they are.
int least_pixels(const ConvolutionShape& shape, int block) {
    if (shape.kernel_size[0] == 2) return 128;
    if (filters_of(shape) >= kManyFilters) return 192;
    const bool has_whole_tiles = std::min(shape.dst.height, shape.dst.width) >= 6;
    if (filters_of(shape) <= kSomeFilters && has_whole_tiles) return 1;
    return block < 16 ? 48 : 64;
}

}  // namespace

bool repays_filters(const ConvolutionShape& shape, int block, int images) {
    return images * shape.dst.height * shape.dst.width >= least_pixels(shape, block);
}

Winograd winograd_of(const ConvolutionFormat& format) { return Winograd(shape_of(format)); }

bool takes_winograd(const ConvolutionShape& shape, int block) {
    const int taps = shape.kernel_size[0];
    const bool is_computed = (taps == 2 || taps == 3) && shape.kernel_size[1] == taps &&
                             shape.strides == std::array{1, 1} &&
                             std::max(shape.pad_before[0], shape.pad_before[1]) < taps &&
                             block == vector_lanes();
    if (!is_computed || (taps == 2 && block < 16)) return false;
    if (taps == 2 && filters_of(shape) >= kManyFilters) return false;
    const int products = TileAxis::of(shape.dst.height, taps).points() *
                         TileAxis::of(shape.dst.width, taps).points();
    return std::min(shape.dst.height, shape.dst.width) >= least_side(shape, block) &&
           2 * products <= taps * taps * shape.dst.height * shape.dst.width;
}

WinogradConvolution::WinogradConvolution(const ConvolutionFormat& format,
                                         const LinearWeights& weights,
                                         std::span<const LinearPart> parts,
                                         std::unique_ptr<LinearCalls> direct)
    : format_(format),
      weights_(weights),
      parts_(parts.begin(), parts.end()),
      direct_(std::move(direct)),
      needs_filters_(
          std::ranges::any_of(parts, [](const LinearPart& part) { return !part.is_direct; })) {
    format.engine().onednn().workspace.reserve(
        (winograd().filter_floats() + winograd().scratch_floats()) * sizeof(float));
}

float* WinogradConvolution::own_filters() const {
    return format_.engine().onednn().workspace.floats();
}

float* WinogradConvolution::scratch() const { return own_filters() + winograd().filter_floats(); }

const float* WinogradConvolution::filters_or_own(const float* filters) const {
    return filters != nullptr ? filters : own_filters();
}

void WinogradConvolution::prepare_forward() {
    if (needs_filters_ && weights_.filters == nullptr)
        winograd().transform_filters(weights_.weights, own_filters());
}

void WinogradConvolution::prepare_backward() {
    if (direct_) direct_->prepare_backward();
    if (needs_filters_ && weights_.filters_for_data == nullptr)
        winograd().transform_filters_for_data(weights_.weights, own_filters());
}

void WinogradConvolution::forward(std::size_t part) {
    const LinearPart& p = parts_[part];
    if (p.is_direct) return direct_->forward(part);
    winograd().forward(p.src, filters_or_own(weights_.filters), weights_.bias,
                       format_.shape().has_relu || weights_.has_relu, p.dst, p.samples, scratch());
}

void WinogradConvolution::backward_data(std::size_t part) {
    const LinearPart& p = parts_[part];
    if (p.is_direct) return direct_->backward_data(part);
    run({.diff_src = p.diff_src}, p);
}

void WinogradConvolution::backward_weights(std::size_t part) {
    const LinearPart& p = parts_[part];
    if (p.is_direct) return direct_->backward_weights(part);
    run({.src = p.src, .diff_weights = p.diff_weights, .diff_bias = p.diff_bias}, p);
}

void WinogradConvolution::backward(std::size_t part) {
    const LinearPart& p = parts_[part];
    if (p.is_direct) return direct_->backward(part);
    run({.diff_src = p.diff_src,
         .src = p.src,
         .diff_weights = p.diff_weights,
         .diff_bias = p.diff_bias},
        p);
}

void WinogradConvolution::run(WinogradBackward gradients, const LinearPart& part) const {
    gradients.diff_dst = part.diff_dst;
    gradients.relu_dst = part.relu_dst;
    if (gradients.diff_src != nullptr)
        gradients.filters = filters_or_own(weights_.filters_for_data);
    winograd().backward(gradients, part.samples, scratch());
}

}  // namespace lockstep::trainer
