#pragma once

// Images enlarged by whole factors, on blocked layouts, and the transposes of it. Vectors run over
// channels.
//
//   nearest    every pixel stands for all that it became
//   bilinear   between the centres of the four nearest pixels, those of the border beyond it; a
//              pixel's centre lies half a pixel behind its number, in both images, as in Keras

#include <array>
#include <vector>

#include "trainer/config/layer_config.hpp"
#include "trainer/kernels/layout.hpp"

namespace lockstep::trainer {

// Along one axis: pixel i of dst is src[lower[i]] (1 - weight[i]) + src[upper[i]] weight[i].
struct InterpolatedAxis {
    std::vector<int> lower, upper;
    std::vector<float> weight;

    InterpolatedAxis(int size, int factor);
};

class UpSamplingKernel {
public:
    // src and dst: the same channels and block; dst is `size` times as high and wide.
    UpSamplingKernel(const Layout& src, const Layout& dst, const std::array<int, 2>& size,
                     Interpolation interpolation);

    void forward(const float* src, float* dst, int samples) const;
    void backward(const float* diff_dst, float* diff_src, int samples) const;

    const Layout& src() const { return src_; }
    const Layout& dst() const { return dst_; }
    const std::array<int, 2>& size() const { return size_; }
    const InterpolatedAxis& rows() const { return rows_; }
    const InterpolatedAxis& columns() const { return columns_; }

private:
    Layout src_, dst_;
    std::array<int, 2> size_;
    Interpolation interpolation_;
    InterpolatedAxis rows_, columns_;
};

}  // namespace lockstep::trainer
