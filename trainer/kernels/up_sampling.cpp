#include "trainer/kernels/up_sampling.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/up_sampling.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/simd_loops.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {

// All of them: one block of channels of one image.

HWY_ATTR void NearestForward(const UpSamplingKernel& k, const float* src, float* dst) {
    const std::ptrdiff_t block = k.src().block, width = k.dst().width;
    with_vectors_of(k.src().block, [&](auto d) HWY_ATTR {
        for (int y = 0; y < k.dst().height; ++y)
            for (int x = 0; x < k.dst().width; ++x) {
                const float* from =
                    src + (y / k.size()[0] * k.src().width + x / k.size()[1]) * block;
                float* to = dst + (y * width + x) * block;
                for (std::size_t v = 0; v < static_cast<std::size_t>(block); v += hn::Lanes(d))
                    hn::StoreU(hn::LoadU(d, from + v), d, to + v);
            }
    });
}

// Each pixel's gradients are added row by row.
HWY_ATTR void NearestBackward(const UpSamplingKernel& k, const float* diff_dst, float* diff_src) {
    const std::ptrdiff_t block = k.src().block, row = k.dst().width * block;
    with_vectors_of(k.src().block, [&](auto d) HWY_ATTR {
        for (int y = 0; y < k.src().height; ++y)
            for (int x = 0; x < k.src().width; ++x, diff_src += block) {
                const float* first = diff_dst + y * k.size()[0] * row + x * k.size()[1] * block;
                for (std::size_t v = 0; v < static_cast<std::size_t>(block); v += hn::Lanes(d)) {
                    auto sum = hn::Zero(d);
                    for (int i = 0; i < k.size()[0]; ++i)
                        for (int j = 0; j < k.size()[1]; ++j)
                            sum = hn::Add(sum, hn::LoadU(d, first + i * row + j * block + v));
                    hn::StoreU(sum, d, diff_src + v);
                }
            }
    });
}

HWY_ATTR void BilinearForward(const UpSamplingKernel& k, const float* src, float* dst) {
    const std::ptrdiff_t block = k.src().block, row = k.src().width * block;
    const InterpolatedAxis &rows = k.rows(), &columns = k.columns();
    with_vectors_of(k.src().block, [&](auto d) HWY_ATTR {
        for (std::size_t y = 0; y < rows.weight.size(); ++y) {
            const float *upper = src + rows.lower[y] * row, *lower = src + rows.upper[y] * row;
            const auto down = hn::Set(d, rows.weight[y]);
            for (std::size_t x = 0; x < columns.weight.size(); ++x, dst += block) {
                const std::ptrdiff_t left = columns.lower[x] * block,
                                     right = columns.upper[x] * block;
                const auto over = hn::Set(d, columns.weight[x]);
                const auto between = [&](const float* pixels, std::size_t v) HWY_ATTR {
                    const auto a = hn::LoadU(d, pixels + left + v);
                    return hn::MulAdd(hn::Sub(hn::LoadU(d, pixels + right + v), a), over, a);
                };
                for (std::size_t v = 0; v < static_cast<std::size_t>(block); v += hn::Lanes(d)) {
                    const auto top = between(upper, v), bottom = between(lower, v);
                    hn::StoreU(hn::MulAdd(hn::Sub(bottom, top), down, top), d, dst + v);
                }
            }
        }
    });
}

// Adds to zeros, pixel by pixel of dst.
HWY_ATTR void BilinearBackward(const UpSamplingKernel& k, const float* diff_dst, float* diff_src) {
    const std::ptrdiff_t block = k.src().block, row = k.src().width * block;
    const InterpolatedAxis &rows = k.rows(), &columns = k.columns();
    with_vectors_of(k.src().block, [&](auto d) HWY_ATTR {
        for (std::size_t y = 0; y < rows.weight.size(); ++y) {
            float *upper = diff_src + rows.lower[y] * row, *lower = diff_src + rows.upper[y] * row;
            const auto down = hn::Set(d, rows.weight[y]);
            for (std::size_t x = 0; x < columns.weight.size(); ++x, diff_dst += block) {
                const std::ptrdiff_t left = columns.lower[x] * block,
                                     right = columns.upper[x] * block;
                const auto over = hn::Set(d, columns.weight[x]);
                const auto add = [&](float* pixel, auto part) HWY_ATTR {
                    hn::StoreU(hn::Add(hn::LoadU(d, pixel), part), d, pixel);
                };
                for (std::size_t v = 0; v < static_cast<std::size_t>(block); v += hn::Lanes(d)) {
                    const auto diff = hn::LoadU(d, diff_dst + v);
                    const auto bottom = hn::Mul(diff, down), top = hn::Sub(diff, bottom);
                    const auto top_right = hn::Mul(top, over);
                    const auto bottom_right = hn::Mul(bottom, over);
                    add(upper + left + v, hn::Sub(top, top_right));
                    add(upper + right + v, top_right);
                    add(lower + left + v, hn::Sub(bottom, bottom_right));
                    add(lower + right + v, bottom_right);
                }
            }
        }
    });
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(NearestForward);
HWY_EXPORT(NearestBackward);
HWY_EXPORT(BilinearForward);
HWY_EXPORT(BilinearBackward);

InterpolatedAxis::InterpolatedAxis(int size, int factor) {
    for (int i = 0; i < size * factor; ++i) {
        const double place = (i + 0.5) / factor - 0.5;
        const double before = std::floor(place);
        const int pixel = static_cast<int>(before);
        lower.push_back(std::max(pixel, 0));
        upper.push_back(std::min(pixel + 1, size - 1));
        weight.push_back(static_cast<float>(place - before));
    }
}

UpSamplingKernel::UpSamplingKernel(const Layout& src, const Layout& dst,
                                   const std::array<int, 2>& size, Interpolation interpolation)
    : src_(src),
      dst_(dst),
      size_(size),
      interpolation_(interpolation),
      rows_(src.height, size[0]),
      columns_(src.width, size[1]) {}

namespace {

std::ptrdiff_t plane(const Layout& layout) {
    return std::ptrdiff_t{layout.pixels()} * layout.block;
}

}  // namespace

void UpSamplingKernel::forward(const float* src, float* dst, int samples) const {
    const bool is_nearest = interpolation_ == Interpolation::nearest;
    for (int i = 0; i < samples * src_.channel_blocks(); ++i) {
        is_nearest ? HWY_DYNAMIC_DISPATCH(NearestForward)(*this, src, dst)
                   : HWY_DYNAMIC_DISPATCH(BilinearForward)(*this, src, dst);
        src += plane(src_);
        dst += plane(dst_);
    }
}

void UpSamplingKernel::backward(const float* diff_dst, float* diff_src, int samples) const {
    const bool is_nearest = interpolation_ == Interpolation::nearest;
    if (!is_nearest)
        std::fill_n(diff_src, static_cast<std::size_t>(samples) * src_.sample_size(), 0.0F);
    for (int i = 0; i < samples * src_.channel_blocks(); ++i) {
        is_nearest ? HWY_DYNAMIC_DISPATCH(NearestBackward)(*this, diff_dst, diff_src)
                   : HWY_DYNAMIC_DISPATCH(BilinearBackward)(*this, diff_dst, diff_src);
        diff_dst += plane(dst_);
        diff_src += plane(src_);
    }
}

}  // namespace lockstep::trainer
#endif
