// The input's gradient of a convolution of few channels: first_convolution.hpp.

#include <algorithm>
#include <cstddef>
#include <utility>

#include "trainer/kernels/first/first_convolution.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/first/backward_data.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/first/input_gradients-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {

// One axis of a source pixel: the outputs that it took part in are those at first, first - 1 and so
// on, by the taps phase, phase + stride and so on.
struct AxisOutputs {
    int phase, first, taps;

    AxisOutputs(int at, int pad, int stride, int kernel)
        : phase((at + pad) % stride),
          first((at + pad) / stride),
          taps((kernel - phase + stride - 1) / stride) {}
    // Without those in front of the first output and behind the last.
    int skipped(int outputs) const { return std::max(0, first - (outputs - 1)); }
    int end() const { return std::min(taps, first + 1); }
};

class InputGradient {
public:
    InputGradient(const FirstConvolutionShape& s, const float* weights, float* memory)
        : s_(s), rows_(s), weights_(weights), gradient_(memory), sums_(memory + rows_.floats(s)) {}

    HWY_ATTR void image(const float* diff_dst, const float* relu_dst, float* diff_src) const {
        copy_gradient(s_, rows_, diff_dst, relu_dst, gradient_);
        for (int y = 0; y < s_.src_height; ++y)
            for (int x = 0; x < std::min(s_.stride_x, s_.src_width); ++x)
                phase_of_row(y, x, diff_src + size(y) * size(s_.src_width));
    }

private:
    // Pixels x, x + stride and so on of row y: their windows are neighbours.
    HWY_ATTR void phase_of_row(int y, int x, float* diff_src) const {
        const std::size_t lanes = hn::Lanes(D()), tap = size(s_.src_channels) * lanes;
        const AxisOutputs down(y, s_.pad_top, s_.stride_y, s_.kernel_height);
        const AxisOutputs right(x, s_.pad_left, s_.stride_x, s_.kernel_width);
        const int skipped = down.skipped(s_.dst_height);
        const int tap_row = down.phase + skipped * s_.stride_y;
        const std::ptrdiff_t row = std::ptrdiff_t{down.first} - skipped;
        const InputTile tile{
            .gradient = gradient_ + (row * rows_.columns + rows_.left + right.first) *
                                        static_cast<std::ptrdiff_t>(lanes),
            .gradient_row = size(rows_.columns) * lanes,
            .gradient_block = size(s_.dst_height) * size(rows_.columns) * lanes,
            .weights = weights_ + size(tap_row * s_.kernel_width + right.phase) * tap,
            .weights_step = size(s_.stride_x) * tap,
            .weights_row = size(s_.stride_y * s_.kernel_width) * tap,
            .weights_block = size(s_.taps()) * lanes,
            .blocks = s_.dst_blocks(),
            .rows = std::max(0, down.end() - skipped),
            .columns = std::max(0, right.taps),
            .sums = sums_,
            .sums_plane = rows_.sums};
        const int pixels = (s_.src_width - x + s_.stride_x - 1) / s_.stride_x;
        compute_input_row(tile, s_.src_channels, pixels);
        const std::size_t plane = size(s_.src_height) * size(s_.src_width);
        for (int c = 0; c < s_.src_channels; ++c)
            spread(sums_ + size(c) * rows_.sums, pixels, s_.stride_x,
                   diff_src + size(c) * plane + x);
    }

    const FirstConvolutionShape& s_;
    GradientRows rows_;
    const float* weights_;
    float* gradient_;
    float* sums_;
};

HWY_ATTR void FirstBackwardData(const FirstConvolutionShape& s, const float* diff_dst,
                                const float* relu_dst, const float* weights, float* diff_src,
                                int images, float* scratch) {
    const InputGradient gradient(s, weights, scratch);
    const std::size_t dst = size(s.dst_channels) * size(s.dst_height) * size(s.dst_width);
    const std::size_t src = size(s.src_channels) * size(s.src_height) * size(s.src_width);
    for (int n = 0; n < images; ++n)
        gradient.image(diff_dst + size(n) * dst,
                       relu_dst == nullptr ? nullptr : relu_dst + size(n) * dst,
                       diff_src + size(n) * src);
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(FirstBackwardData);

std::size_t FirstConvolution::data_scratch_floats() const {
    const GradientRows rows(shape_);
    return rows.floats(shape_) + static_cast<std::size_t>(shape_.src_channels) * rows.sums;
}

void FirstConvolution::backward_data(const float* diff_dst, const float* relu_dst,
                                     const float* weights, float* diff_src, int images,
                                     float* scratch) const {
    HWY_DYNAMIC_DISPATCH(FirstBackwardData)
    (shape_, diff_dst, relu_dst, weights, diff_src, images, scratch);
}

}  // namespace lockstep::trainer
#endif  // HWY_ONCE
