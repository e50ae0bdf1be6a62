#pragma once

// Convolutions of every channel by itself:
//
//   dst[y, x, c] = relu?(bias[c] + sum over i, j of w[i, j, c] * src[y * stride + i * rate - pad,
//   ..., c])
//
// There is nothing to share between channels, so vectors run over them and a pass is bound by one
// multiply-add a tap, or by the memory that it goes through once. Outputs side by side are computed
// at once, from pixels that are loaded once for all of them.
//
// Bits. A pixel of dst or diff_src is a function of its image alone, its taps added in a fixed
// order. A weight gradient adds pixels in their order, image by image; it belongs to one shard.

#include <array>
#include <cstddef>

namespace lockstep::trainer {

// Activations lie as [image][channel block][height][width][block], weights as
// [channel block][KH][KW][block].
struct DepthwiseShape {
    int block = 16;
    int channels = 0;  // whole blocks
    int src_height = 0, src_width = 0;
    int dst_height = 0, dst_width = 0;
    std::array<int, 2> kernel_size{};
    std::array<int, 2> strides{};
    std::array<int, 2> dilation_rate{};  // above 1 only with strides of 1
    std::array<int, 2> pad_before{};

    int taps() const { return kernel_size[0] * kernel_size[1]; }
    int blocks() const { return channels / block; }
    // Floats of one block of channels.
    std::size_t src_plane() const { return floats(src_height * src_width); }
    std::size_t dst_plane() const { return floats(dst_height * dst_width); }
    std::size_t filter() const { return floats(taps()); }

private:
    std::size_t floats(int places) const {
        return static_cast<std::size_t>(places) * static_cast<std::size_t>(block);
    }
};

// The kernels of one shape. Not bound to buffers.
class Depthwise {
public:
    explicit Depthwise(const DepthwiseShape& shape) : shape_(shape) {}

    const DepthwiseShape& shape() const { return shape_; }

    void forward(const float* src, const float* weights, const float* bias, bool has_relu,
                 float* dst, int images) const;
    void backward_data(const float* diff_dst, const float* weights, float* diff_src,
                       int images) const;
    // Writes the sums over the images.
    void backward_weights(const float* src, const float* diff_dst, float* diff_weights,
                          float* diff_bias, int images) const;

private:
    DepthwiseShape shape_;
};

}  // namespace lockstep::trainer
