#pragma once

// A convolution of 1 to 4 input channels, in float32; most are a network's first. The channels are
// too few for a vector, so that vectors hold output channels and every pixel is broadcast.
//
//   forward        a tile of neighbouring pixels x one or two blocks of output channels stays in
//                  registers over all taps (tap: one row, column and channel of the kernel)
//   weights        a group of taps x one block of output channels stays in registers over a chain
//                  of pixels; chains are rows of some 64 pixels, added in their order
//   data           a tile of neighbouring pixels x the input's channels stays in registers over all
//                  taps and blocks: partial sums, one a lane, added up at the end
//
// Where ReLU and max pooling of 2 x 2 follow, forward_pooled() writes the pooled output alone, and
// a byte that tells which of the four pixels it was and whether ReLU passed it on. Three of the
// four gradients in a window are zeros: backward_weights_pooled() multiplies the fourth alone. Its
// pixel differs from channel to channel, so a shuffle takes the place of the broadcast, out of a
// copy of the input in which a window's four pixels are neighbours.
//
// Bits. An output pixel is one chain, bias first and then tap by tap, whatever tile it lies in. A
// weight's gradient adds pixels in their order, chain by chain, image by image; it belongs to one
// shard. A pixel's gradient is a chain for each lane, block by block and tap by tap, whatever tile
// it lies in; the lanes' sums are added by pairs.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep::trainer {

// src lies as planes, [image][channel][height][width], dst as [image][block][height][width][channel
// in block], weights as [dst block][kernel height][kernel width][src channel][channel in block].
struct FirstConvolutionShape {
    int block = 16;  // channels; the lanes of a vector on the instruction set in use
    int src_channels = 3;
    int dst_channels = 0;  // whole blocks
    int src_height = 0, src_width = 0;
    int dst_height = 0, dst_width = 0;
    int kernel_height = 0, kernel_width = 0;  // 1 to 7
    int stride_y = 1, stride_x = 1;
    int pad_top = 0, pad_left = 0;

    int taps() const { return kernel_height * kernel_width * src_channels; }
    int dst_blocks() const { return dst_channels / block; }
    int pooled_height() const { return dst_height / 2; }
    int pooled_width() const { return dst_width / 2; }
};

// Where the maximum of a window of 2 x 2 lay: 2 x column + row, the first one, row by row, of
// equals; plus 4 where it is > 0, that is, where ReLU passes a gradient on.
using PooledPlace = std::uint8_t;

// The kernels of one shape. Not bound to buffers; `scratch` is memory for one call, of
// scratch_floats() floats, whose content means nothing between calls. All buffers but src are
// aligned to 64 bytes.
class FirstConvolution {
public:
    static bool computes(const FirstConvolutionShape& shape);
    // Throws std::invalid_argument for a shape these kernels do not compute.
    explicit FirstConvolution(const FirstConvolutionShape& shape);

    // Whether the pooled forms compute this shape: strides of 1, at least one whole window.
    bool can_pool() const;
    const FirstConvolutionShape& shape() const { return shape_; }
    std::size_t scratch_floats() const;  // of any call below

    // dst = conv(src) + bias, then max(., 0) with `has_relu`.
    void forward(const float* src, const float* weights, const float* bias, bool has_relu,
                 float* dst, int images, float* scratch) const;
    // Writes both gradients, summed over the images. relu_dst: forward's dst where diff_dst is
    // still to pass ReLU, else null.
    void backward_weights(const float* src, const float* diff_dst, const float* relu_dst,
                          float* diff_weights, float* diff_bias, int images, float* scratch) const;

    // Writes the input's gradient, in src's layout.
    void backward_data(const float* diff_dst, const float* relu_dst, const float* weights,
                       float* diff_src, int images, float* scratch) const;

    // dst = 2 x 2 maximum of max(conv(src) + bias, 0), without a last odd row or column of the
    // convolution. dst and places: [image][block][pooled height][pooled width][channel in block].
    void forward_pooled(const float* src, const float* weights, const float* bias, float* dst,
                        PooledPlace* places, int images, float* scratch) const;
    // As backward_weights(), from the gradient of what forward_pooled() wrote.
    void backward_weights_pooled(const float* src, const float* diff_dst, const PooledPlace* places,
                                 float* diff_weights, float* diff_bias, int images,
                                 float* scratch) const;

    // What the kernels read: src's planes, with the padding around them where there is any.
    struct Planes {
        int height = 0, width = 0;
        bool are_copied = false;                 // else they are src itself
        std::vector<std::ptrdiff_t> tap_places;  // [taps], floats from a window's first pixel

        std::size_t floats(int channels) const {
            return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
                   static_cast<std::size_t>(width);
        }
    };

private:
    std::size_t data_scratch_floats() const;

    FirstConvolutionShape shape_;
    Planes planes_;
};

}  // namespace lockstep::trainer
