#include "trainer/kernels/first/first_passes.hpp"

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

bool has_strides(const FirstConvolutionShape& s) { return s.stride_y > 1 || s.stride_x > 1; }

// oneDNN's loops for pixels are hardly slower, and faster with strides; those with AVX2 fill its
// registers with four blocks of filters.
bool is_faster_forward(const FirstConvolutionShape& s) {
    return s.block < 16 && !has_strides(s) && s.dst_blocks() % 4 != 0;
}

// oneDNN leaves four channels, and with AVX2 one and two, to its plain loops. One block of filters
// fills AVX-512's registers there as well, and so do many taps.
bool is_faster_weights(const FirstConvolutionShape& s) {
    if (s.src_channels == 4) return true;
    if (s.block < 16) return s.src_channels < 3 || !has_strides(s) || s.taps() <= 27;
    return s.dst_blocks() > 1 && !has_strides(s) && s.taps() <= 50;
}

}  // namespace

FirstPasses faster_passes(const FirstConvolutionShape& shape) {
    if (shape.kernel_height * shape.kernel_width == 1) return {};
    return {.forward = is_faster_forward(shape), .weights = is_faster_weights(shape)};
}

}  // namespace lockstep::trainer
