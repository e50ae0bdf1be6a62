#pragma once

// A network's first convolution with the ReLU and the max pooling of 2 x 2 behind it, in float32.
// Its input are pixels of 1 to 4 channels, too few for a vector, so that vectors hold output
// channels.
//
//   forward    a tile of neighbouring windows x one or two blocks of output channels stays in
//              registers over all taps (tap: one row, column and channel of the kernel), every
//              pixel broadcast. The pooled output alone is written, and a byte that tells which of
//              a window's four pixels it was and whether ReLU passed it on
//   weights    a group of taps x one block of output channels stays in registers over a chain of
//              windows; chains are rows of some 64 windows, added in their order. Three of the four
//              gradients in a window are zeros: the fourth alone is multiplied. Its pixel differs
//              from channel to channel, so a shuffle takes the place of the broadcast, out of a
//              copy of the input in which a window's four pixels are neighbours
//
// There is no backward data: nothing in front of the first layer is trained.
//
// Bits. An output pixel is one chain, bias first and then tap by tap, whatever tile it lies in. A
// weight's gradient adds windows in their order, chain by chain, image by image; it belongs to one
// shard.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep::trainer {

// Where the maximum of a window of 2 x 2 lay: 2 x column + row, the first one, row by row, of
// equals; plus 4 where it is > 0, that is, where ReLU passes a gradient on.
using PooledPlace = std::uint8_t;

// The kernels of one shape. Not bound to buffers; `scratch` is memory for one call, of
// scratch_floats() floats, whose content means nothing between calls. All buffers but src are
// aligned to 64 bytes.
class FirstConvolutionPool {
public:
    // src lies as planes, [image][channel][height][width], dst as [image][block][height][width]
    // [channel in block], weights as [dst block][kernel height][kernel width][src channel][channel
    // in block]. The convolution has strides of 1.
    struct Shape {
        int block = 16;  // channels; the lanes of a vector on the instruction set in use
        int src_channels = 3;
        int dst_channels = 0;  // whole blocks
        int src_height = 0, src_width = 0;
        int dst_height = 0, dst_width = 0;  // pooled; a last odd row or column is in no window
        int kernel_height = 0, kernel_width = 0;
        int pad_top = 0, pad_left = 0;  // below and on the right: as many as dst needs

        int taps() const { return kernel_height * kernel_width * src_channels; }
        int dst_blocks() const { return dst_channels / block; }
    };

    // Whether these kernels compute a shape: 1 to 4 channels of pixels, kernels of 1 to 7, less
    // padding in front than taps, whole blocks of output channels, a window at least.
    static bool computes(const Shape& shape);

    // Throws std::invalid_argument for a shape that is not one of these.
    explicit FirstConvolutionPool(const Shape& shape);

    std::size_t scratch_floats() const;  // of either call

    // dst = 2 x 2 maximum of max(conv(src) + bias, 0). places: as dst.
    void forward(const float* src, const float* weights, const float* bias, float* dst,
                 PooledPlace* places, int images, float* scratch) const;
    // Writes both gradients, summed over the images. places: forward's.
    void backward_weights(const float* src, const float* diff_dst, const PooledPlace* places,
                          float* diff_weights, float* diff_bias, int images, float* scratch) const;

    // What the kernels read: src's planes, with the padding around them where there is any.
    struct Planes {
        int height = 0, width = 0;
        bool are_copied = false;                 // else they are src itself
        std::vector<std::ptrdiff_t> tap_places;  // [taps], floats from a pixel's first tap

        std::size_t floats(int channels) const {
            return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
                   static_cast<std::size_t>(width);
        }
    };

private:
    Shape shape_;
    Planes planes_;
};

}  // namespace lockstep::trainer
