// Tiles of images <-> their frequencies. Included once for each instruction set, as
// transforms-inl.hpp.

#if defined(LOCKSTEP_WINOGRAD_TILES) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_WINOGRAD_TILES
#undef LOCKSTEP_WINOGRAD_TILES
#else
#define LOCKSTEP_WINOGRAD_TILES
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "trainer/kernels/winograd/geometry.hpp"
#include "trainer/kernels/winograd/transforms-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// V = B^T d B of the tile at `place` of one block of channels. Pixels outside of the image are
// zeros: rows by a pointer to `zeros` (a row of them), columns by leaving them out.
HWY_INLINE HWY_ATTR void input_tile(const WinogradShape& g, const float* plane,
                                    const TilePlace& place, const float* zeros,
                                    float* HWY_RESTRICT to, std::size_t step) {
    const D d;
    const int top = place.row * kOut - g.pad_top;
    const int left = place.column * kOut - g.pad_left;
    const float* rows[kTile];
    for (int i = 0; i < kTile; ++i) {
        const int y = top + i;
        rows[i] = y >= 0 && y < g.src_height ? plane + g.pixel(y * g.src_width) : zeros;
    }
    V t[kTile][kTile];
    for (int j = 0; j < kTile; ++j) {
        const int x = left + j;
        V column[kTile], result[kTile];
        if (x >= 0 && x < g.src_width) {
            for (int i = 0; i < kTile; ++i) column[i] = hn::Load(d, rows[i] + g.pixel(x));
            transform_input(column, result);
        } else {
            for (int i = 0; i < kTile; ++i) result[i] = hn::Zero(d);
        }
        for (int i = 0; i < kTile; ++i) t[i][j] = result[i];
    }
    for (int i = 0; i < kTile; ++i) {
        V result[kTile];
        transform_input(t[i], result);
        for (int j = 0; j < kTile; ++j)
            hn::Store(result[j], d, to + static_cast<std::size_t>(i * kTile + j) * step);
    }
}

// Z = A (tile of diff_dst) A^T. `g` is the geometry of the forward pass.
HWY_INLINE HWY_ATTR void gradient_tile(const WinogradShape& g, const float* plane,
                                       const TilePlace& place, const float* zeros,
                                       float* HWY_RESTRICT to, std::size_t step) {
    const D d;
    const float* rows[kOut];
    for (int i = 0; i < kOut; ++i) {
        const int y = place.row * kOut + i;
        rows[i] = y < g.dst_height ? plane + g.pixel(y * g.dst_width) : zeros;
    }
    V t[kTile][kOut];
    for (int j = 0; j < kOut; ++j) {
        const int x = place.column * kOut + j;
        V column[kOut], result[kTile];
        if (x < g.dst_width) {
            for (int i = 0; i < kOut; ++i) column[i] = hn::Load(d, rows[i] + g.pixel(x));
            transform_gradient(column, result);
        } else {
            for (int i = 0; i < kTile; ++i) result[i] = hn::Zero(d);
        }
        for (int i = 0; i < kTile; ++i) t[i][j] = result[i];
    }
    for (int i = 0; i < kTile; ++i) {
        V result[kTile];
        transform_gradient(t[i], result);
        for (int j = 0; j < kTile; ++j)
            hn::Store(result[j], d, to + static_cast<std::size_t>(i * kTile + j) * step);
    }
}

// y = A^T M A + bias of one tile and block of channels, cut off at the image's end.
HWY_INLINE HWY_ATTR void output_tile(const WinogradShape& g, const float* HWY_RESTRICT from,
                                     std::size_t step, V bias, bool has_relu,
                                     const TilePlace& place, float* HWY_RESTRICT plane) {
    const D d;
    V t[kOut][kTile];
    for (int j = 0; j < kTile; ++j) {
        V column[kTile], result[kOut];
        for (int i = 0; i < kTile; ++i)
            column[i] = hn::Load(d, from + static_cast<std::size_t>(i * kTile + j) * step);
        transform_output(column, result);
        for (int i = 0; i < kOut; ++i) t[i][j] = result[i];
    }
    const int height = std::min(kOut, g.dst_height - place.row * kOut);
    const int width = std::min(kOut, g.dst_width - place.column * kOut);
    for (int i = 0; i < height; ++i) {
        V result[kOut];
        transform_output(t[i], result);
        float* row = plane + g.pixel((place.row * kOut + i) * g.dst_width + place.column * kOut);
        for (int j = 0; j < width; ++j) {
            const V y = hn::Add(result[j], bias);
            hn::Store(has_relu ? hn::Max(y, hn::Zero(d)) : y, d, row + g.pixel(j));
        }
    }
}

// B X B^T of an image that is one tile, cut off at its end. `g` is the geometry of the forward
// pass.
HWY_INLINE HWY_ATTR void input_gradient_tile(const WinogradShape& g, const float* HWY_RESTRICT from,
                                             std::size_t step, float* HWY_RESTRICT plane) {
    const D d;
    V t[kTile][kTile];
    for (int j = 0; j < kTile; ++j) {
        V column[kTile], result[kTile];
        for (int i = 0; i < kTile; ++i)
            column[i] = hn::Load(d, from + static_cast<std::size_t>(i * kTile + j) * step);
        transform_input_gradient(column, result);
        for (int i = 0; i < kTile; ++i) t[i][j] = result[i];
    }
    for (int y = 0; y < g.src_height; ++y) {
        V result[kTile];
        transform_input_gradient(t[y + g.pad_top], result);
        for (int x = 0; x < g.src_width; ++x)
            hn::Store(result[x + g.pad_left], d, plane + g.pixel(y * g.src_width + x));
    }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
