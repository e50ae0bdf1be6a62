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

}  // namespace

Winograd winograd_of(const ConvolutionFormat& format) { return Winograd(shape_of(format)); }

bool takes_winograd(const ConvolutionShape& shape, int block) {
    const int taps = shape.kernel_size[0];
    const bool is_computed = (taps == 2 || taps == 3) && shape.kernel_size[1] == taps &&
                             shape.strides == std::array{1, 1} &&
                             std::max(shape.pad_before[0], shape.pad_before[1]) < taps &&
                             block == vector_lanes();
    if (!is_computed || (taps == 2 && block < 16)) return false;
    constexpr int kManyFilters = 256 * 256;
    const bool has_many_filters = shape.src.channels * shape.dst.channels > kManyFilters;
    const int least_side = taps == 2 ? 8 : has_many_filters ? 7 : 4;
    const int products = TileAxis::of(shape.dst.height, taps).points() *
                         TileAxis::of(shape.dst.width, taps).points();
    return std::min(shape.dst.height, shape.dst.width) >= least_side &&
           2 * products <= taps * taps * shape.dst.height * shape.dst.width;
}

WinogradConvolution::WinogradConvolution(const ConvolutionFormat& format,
                                         const LinearBuffers& buffers,
                                         std::span<const SampleRange> shards)
    : format_(format),
      winograd_(winograd_of(format)),
      buffers_(buffers),
      shards_(shards.begin(), shards.end()) {
    for (const SampleRange& shard : shards) images_ += shard.count;
    format.engine().onednn().workspace.reserve(
        (winograd_.filter_floats() + winograd_.scratch_floats()) * sizeof(float));
}

float* WinogradConvolution::own_filters() const {
    return format_.engine().onednn().workspace.floats();
}

float* WinogradConvolution::scratch() const { return own_filters() + winograd_.filter_floats(); }

const float* WinogradConvolution::filters_for_data() const {
    if (buffers_.filters_for_data != nullptr) return buffers_.filters_for_data;
    winograd_.transform_filters_for_data(buffers_.weights, own_filters());
    return own_filters();
}

void WinogradConvolution::forward() {
    if (images_ == 0) return;
    const float* filters = buffers_.filters;
    if (filters == nullptr) {
        winograd_.transform_filters(buffers_.weights, own_filters());
        filters = own_filters();
    }
    winograd_.forward(buffers_.src, filters, buffers_.bias, format_.shape().has_relu, buffers_.dst,
                      images_, scratch());
}

void WinogradConvolution::backward_data() {
    if (images_ == 0) return;
    winograd_.backward({.diff_dst = buffers_.diff_dst,
                        .relu_dst = buffers_.relu_dst,
                        .filters = filters_for_data(),
                        .diff_src = buffers_.diff_src},
                       images_, scratch());
}

void WinogradConvolution::backward_weights() {
    for (std::size_t i = 0; i < buffers_.diff_weights.size(); ++i)
        winograd_.backward(gradients_of(i), shards_[i].count, scratch());
}

void WinogradConvolution::backward() {
    if (buffers_.diff_src == nullptr) return backward_weights();
    if (images_ == 0) return;
    const float* filters = filters_for_data();
    for (std::size_t i = 0; i < shards_.size(); ++i) {
        WinogradBackward gradients = gradients_of(i);
        gradients.filters = filters;
        gradients.diff_src = buffers_.diff_src + static_cast<std::size_t>(shards_[i].first) *
                                                     format_.src().sample_size();
        winograd_.backward(gradients, shards_[i].count, scratch());
    }
}

WinogradBackward WinogradConvolution::gradients_of(std::size_t shard) const {
    const auto first = static_cast<std::size_t>(shards_[shard].first);
    const std::size_t first_dst = first * format_.dst().sample_size();
    return {.diff_dst = buffers_.diff_dst + first_dst,
            .relu_dst = buffers_.relu_dst == nullptr ? nullptr : buffers_.relu_dst + first_dst,
            .src = buffers_.src + first * format_.src().sample_size(),
            .diff_weights = buffers_.diff_weights[shard],
            .diff_bias = buffers_.diff_bias[shard]};
}

}  // namespace lockstep::trainer
