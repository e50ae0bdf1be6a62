#pragma once

// Convolutions of 3 x 3 or 2 x 2 taps and stride 1 by Winograd's minimal filtering, in float32.
//
// The output is cut into tiles of 4 x 4. With three taps, a tile needs 6 x 6 pixels of the input,
// and is computed with one multiplication for each of 36 "frequencies" instead of 9 for each of 16
// pixels, which is a quarter of the products of a direct convolution:
//
//   V = B^T d B      of each tile d of the input, 6 x 6
//   U = G g G^T      of each filter g, 3 x 3 -> 6 x 6
//   M = sum over input channels of V * U, frequency by frequency: 36 small matrix products
//   y = A^T M A      the tile of the output, 6 x 6 -> 4 x 4
//
// Where a side is no multiple of four, its last tiles give three pixels, of five of the six
// frequencies. Two taps give four pixels of those five.
//
// The gradients are the transposes of the same maps, and share Z = A (tile of diff_dst) A^T:
//
//   diff_src      B (sum over output channels of U * Z) B^T, added up where tiles overlap
//   diff_weights  G^T (sum over tiles of V * Z) G
//
// The matrices interpolate polynomials at 0, +-5/8, +-3/2 and infinity: rounding errors are less
// than half of those at the usual 0, +-1, +-2 (docs/winograd.md derives and measures them).
//
// Bits. A pixel of dst or diff_src is a function of its image alone: its chain of additions does
// not depend on how tiles are grouped, nor on the number of images in the call. A weight gradient
// adds tiles in their order, image by image; it belongs to one shard.
//
//   S. Winograd: Arithmetic Complexity of Computations. SIAM, 1980.
//   A. Lavin, S. Gray: Fast Algorithms for Convolutional Neural Networks. CVPR 2016.
//   arXiv:1509.09308

#include <cstddef>

namespace lockstep::trainer {

// Activations lie as [image][channel block][height][width][block], weights as
// [dst block][src block][taps][taps][src channel in block][dst channel in block].
struct WinogradShape {
    int block = 16;  // channels; the lanes of a vector on the instruction set in use
    int src_channels = 0, dst_channels = 0;  // whole blocks
    int src_height = 0, src_width = 0;
    int dst_height = 0, dst_width = 0;  // src + pad in front and behind - (taps - 1)
    int pad_top = 0, pad_left = 0;      // in front, 0 to taps - 1; behind, at least 0
    int taps = 3;                       // or 2: height and width of the filters

    int src_blocks() const { return src_channels / block; }
    int dst_blocks() const { return dst_channels / block; }
    // Floats in front of pixel i of a block's plane.
    std::size_t pixel(int i) const {
        return static_cast<std::size_t>(i) * static_cast<std::size_t>(block);
    }
    std::size_t src_plane() const { return pixel(src_height * src_width); }
    std::size_t dst_plane() const { return pixel(dst_height * dst_width); }
};

// What a backward pass of one shard reads and writes.
struct WinogradBackward {
    const float* diff_dst = nullptr;
    // The output of a ReLU behind the convolution, whose gradient is taken on the way: diff_dst
    // counts where this is positive. Null: as it is.
    const float* relu_dst = nullptr;

    const float* filters = nullptr;  // of transform_filters_for_data()
    float* diff_src = nullptr;       // null: not wanted, nor are the filters

    const float* src = nullptr;
    float* diff_weights = nullptr;  // null: not wanted, nor are src and diff_bias
    float* diff_bias = nullptr;
};

// The kernels of one shape. Not bound to buffers; `scratch` is memory for one call, of
// scratch_floats() floats, aligned to 64 bytes, whose content means nothing between calls.
class Winograd {
public:
    // Throws std::invalid_argument for a shape these kernels do not compute.
    explicit Winograd(const WinogradShape& shape);

    std::size_t filter_floats() const;   // of transformed filters
    std::size_t scratch_floats() const;  // of any call below

    // U of forward, and of backward. Once for all calls with the same weights.
    void transform_filters(const float* weights, float* filters) const;
    void transform_filters_for_data(const float* weights, float* filters) const;

    // dst = conv(src) + bias, then max(., 0) with `has_relu`.
    void forward(const float* src, const float* filters, const float* bias, bool has_relu,
                 float* dst, int images, float* scratch) const;
    // Writes the gradients that are wanted, those of the parameters summed over the images (at
    // least one). Both in one call take less time than in two, and have the same bits.
    void backward(const WinogradBackward& buffers, int images, float* scratch) const;

private:
    WinogradShape shape_;
};

}  // namespace lockstep::trainer
