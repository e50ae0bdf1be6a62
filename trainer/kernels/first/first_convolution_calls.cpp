#include "trainer/kernels/first/first_convolution_calls.hpp"

#include "trainer/kernels/onednn.hpp"
#include "trainer/kernels/vector_lanes.hpp"

namespace lockstep::trainer {
FirstConvolutionShape first_convolution_shape(const ConvolutionShape& shape) {
    const int block = vector_lanes();
    return {.block = block,
            .src_channels = shape.src.channels,
            .dst_channels = (shape.dst.channels + block - 1) / block * block,
            .src_height = shape.src.height,
            .src_width = shape.src.width,
            .dst_height = shape.dst.height,
            .dst_width = shape.dst.width,
            .kernel_height = shape.kernel_size[0],
            .kernel_width = shape.kernel_size[1],
            .stride_y = shape.strides[0],
            .stride_x = shape.strides[1],
            .pad_top = shape.pad_before[0],
            .pad_left = shape.pad_before[1]};
}

namespace {

// oneDNN has fast loops for three channels. For four, and with AVX2 for 1 and 2, it leaves the
// weights' gradient to its reference; with AVX-512 its loops for 1 and 2 channels are slower than
// ours but with strides, or where one block of filters fills its vectors as well.
bool is_faster_than_onednn(const FirstConvolutionShape& s) {
    if (s.src_channels == 3) return false;
    if (s.src_channels == 4 || s.block < 16) return true;
    const bool has_strides = s.stride_y > 1 || s.stride_x > 1;
    return s.kernel_height * s.kernel_width == 1 || (s.dst_channels > s.block && !has_strides);
}

}  // namespace

std::optional<FirstConvolution> first_convolution_of(const ConvolutionShape& shape) {
    const FirstConvolutionShape first = first_convolution_shape(shape);
    const bool is_wanted = !shape.needs_diff_src && shape.algorithm != ConvolutionAlgorithm::direct;
    if (!is_wanted || !FirstConvolution::computes(first) || !is_faster_than_onednn(first))
        return {};
    return FirstConvolution(first);
}

FirstConvolutionCalls::FirstConvolutionCalls(const ConvolutionFormat& format,
                                             const LinearWeights& weights,
                                             std::span<const LinearPart> parts)
    : format_(format), weights_(weights), parts_(parts.begin(), parts.end()) {
    format.engine().onednn().workspace.reserve(format.first()->scratch_floats() * sizeof(float));
}

float* FirstConvolutionCalls::scratch() const {
    return format_.engine().onednn().workspace.floats();
}

void FirstConvolutionCalls::forward(std::size_t part) {
    const LinearPart& p = parts_[part];
    format_.first()->forward(p.src, weights_.weights, weights_.bias,
                             format_.shape().has_relu || weights_.has_relu, p.dst, p.samples,
                             scratch());
}

void FirstConvolutionCalls::backward_weights(std::size_t part) {
    const LinearPart& p = parts_[part];
    format_.first()->backward_weights(p.src, p.diff_dst, p.relu_dst, p.diff_weights, p.diff_bias,
                                      p.samples, scratch());
}

}  // namespace lockstep::trainer
