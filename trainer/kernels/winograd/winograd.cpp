#include "trainer/kernels/winograd/winograd.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>

#include "trainer/kernels/winograd/geometry.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/winograd/winograd.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/winograd/filters-inl.hpp"
#include "trainer/kernels/winograd/products-inl.hpp"
#include "trainer/kernels/winograd/tiles-inl.hpp"
#include "trainer/kernels/winograd/transforms-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

int Lanes() { return static_cast<int>(hn::Lanes(D())); }

// ---- forward, and backward data ----------------------------------------------------------------

// The parts of the scratch memory.
struct Scratch {
    float* zeros;  // a row of src or dst
    float* v;      // [36][tiles of a round][src channels]
    float* m;      // [36][tiles of a round][dst channels]: M, or Z
    float* w;      // [36][src channels][dst channels]: the gradient of the filters
    std::size_t v_step, m_step, w_step;

    Scratch(const WinogradShape& g, int tiles_at_once, float* memory) {
        const std::size_t tiles = size(tiles_at_once);
        v_step = padded_step(tiles * size(g.src_channels));
        m_step = padded_step(tiles * size(g.dst_channels));
        w_step = padded_step(size(g.src_channels) * size(g.dst_channels));
        zeros = memory;
        v = zeros + g.pixel(std::max(g.src_width, g.dst_width));
        m = v + size(kFrequencies) * v_step;
        w = m + size(kFrequencies) * m_step;
        std::fill(zeros, v, 0.0F);
    }
};

// Rounds of nearly equal size over the tiles of all images.
template <class Round>
HWY_ATTR void for_each_round(int tiles, int most, Round round) {
    int first = 0;
    for (int rounds = (tiles + most - 1) / most; rounds > 0; --rounds) {
        const int count = (tiles - first + rounds - 1) / rounds;
        round(first, count);
        first += count;
    }
}

HWY_ATTR void transform_inputs(const WinogradShape& g, const float* src, int first, int count,
                               const Scratch& scratch) {
    for (int i = 0; i < count; ++i) {
        const TilePlace place = TilePlace::of(g, first + i);
        const float* image = src + size(place.image * g.src_blocks()) * g.src_plane();
        float* to = scratch.v + size(i) * size(g.src_channels);
        for (int cb = 0; cb < g.src_blocks(); ++cb)
            input_tile(g, image + size(cb) * g.src_plane(), place, scratch.zeros, to + g.pixel(cb),
                       scratch.v_step);
    }
}

HWY_ATTR void multiply_filters(const WinogradShape& g, const float* filters, int count,
                               const Scratch& scratch) {
    for (int f = 0; f < kFrequencies; ++f)
        for_each_panel(g.dst_channels, g.block, [&](int first, int vectors) HWY_ATTR {
            multiply_rows<false>(
                {.a = scratch.v + size(f) * scratch.v_step,
                 .a_row = size(g.src_channels),
                 .a_step = 1,
                 .b = filters + size(f) * scratch.w_step + size(first) * size(g.src_channels),
                 .b_step = size(vectors) * size(g.block),
                 .c = scratch.m + size(f) * scratch.m_step + size(first),
                 .c_row = size(g.dst_channels),
                 .depth = g.src_channels,
                 .adds = false},
                count, vectors);
        });
}

HWY_ATTR void transform_outputs(const WinogradShape& g, const float* bias, bool has_relu,
                                float* dst, int first, int count, const Scratch& scratch) {
    const D d;
    for (int i = 0; i < count; ++i) {
        const TilePlace place = TilePlace::of(g, first + i);
        float* image = dst + size(place.image * g.dst_blocks()) * g.dst_plane();
        const float* from = scratch.m + size(i) * size(g.dst_channels);
        for (int cb = 0; cb < g.dst_blocks(); ++cb) {
            const V shift = bias == nullptr ? hn::Zero(d) : hn::Load(d, bias + g.pixel(cb));
            output_tile(g, from + g.pixel(cb), scratch.m_step, shift, has_relu, place,
                        image + size(cb) * g.dst_plane());
        }
    }
}

HWY_ATTR void Convolve(const WinogradShape& g, const float* src, const float* filters,
                       const float* bias, bool has_relu, float* dst, int images, float* memory) {
    const int most = tiles_of_round(g.src_channels, g.dst_channels);
    const Scratch scratch(g, most, memory);
    for_each_round(g.tiles() * images, most, [&](int first, int count) HWY_ATTR {
        transform_inputs(g, src, first, count, scratch);
        multiply_filters(g, filters, count, scratch);
        transform_outputs(g, bias, has_relu, dst, first, count, scratch);
    });
}

// ---- backward weights --------------------------------------------------------------------------

HWY_ATTR void transform_gradients(const WinogradShape& g, const float* diff_dst, int first,
                                  int count, const Scratch& scratch) {
    for (int i = 0; i < count; ++i) {
        const TilePlace place = TilePlace::of(g, first + i);
        const float* image = diff_dst + size(place.image * g.dst_blocks()) * g.dst_plane();
        float* to = scratch.m + size(i) * size(g.dst_channels);
        for (int cb = 0; cb < g.dst_blocks(); ++cb)
            gradient_tile(g, image + size(cb) * g.dst_plane(), place, scratch.zeros,
                          to + g.pixel(cb), scratch.m_step);
    }
}

// The products of one panel, [36][src channels][panel's dst channels] from `to` on.
HWY_ATTR void multiply_gradients(const WinogradShape& g, int first, int vectors, int count,
                                 bool adds, const Scratch& scratch, float* to, std::size_t step) {
    for (int f = 0; f < kFrequencies; ++f)
        multiply_rows<true>({.a = scratch.v + size(f) * scratch.v_step,
                             .a_row = 1,
                             .a_step = size(g.src_channels),
                             .b = scratch.m + size(f) * scratch.m_step + size(first),
                             .b_step = size(g.dst_channels),
                             .c = to + size(f) * step,
                             .c_row = size(vectors) * size(g.block),
                             .depth = count,
                             .adds = adds},
                            g.src_channels, vectors);
}

// G^T W G of one panel, to where the weights lie.
HWY_ATTR void transform_weight_gradients(const WinogradShape& s, int first, int vectors,
                                         const float* from, std::size_t step, float* diff_weights) {
    const D d;
    for (int v = 0; v < vectors; ++v)
        for (int src = 0; src < s.src_channels; ++src) {
            const float* w = from + size(src * vectors + v) * size(s.block);
            V t[kTaps][kTile];
            for (int j = 0; j < kTile; ++j) {
                V column[kTile], result[kTaps];
                for (int i = 0; i < kTile; ++i)
                    column[i] = hn::Load(d, w + size(i * kTile + j) * step);
                transform_filter_gradient(column, result);
                for (int i = 0; i < kTaps; ++i) t[i][j] = result[i];
            }
            for (int i = 0; i < kTaps; ++i) {
                V result[kTaps];
                transform_filter_gradient(t[i], result);
                for (int j = 0; j < kTaps; ++j)
                    hn::Store(
                        result[j], d,
                        diff_weights + weight_place(s, src, first / s.block + v, i * kTaps + j));
            }
        }
}

// Sums of rows, then of the rows' sums: shorter chains, smaller errors.
HWY_ATTR void sum_bias(const WinogradShape& g, const float* diff_dst, float* diff_bias,
                       int images) {
    const D d;
    for (int cb = 0; cb < g.dst_blocks(); ++cb) {
        V sum = hn::Zero(d);
        for (int n = 0; n < images; ++n) {
            const float* plane = diff_dst + size(n * g.dst_blocks() + cb) * g.dst_plane();
            for (int y = 0; y < g.dst_height; ++y) {
                V row = hn::Zero(d);
                for (int x = 0; x < g.dst_width; ++x)
                    row = hn::Add(row, hn::Load(d, plane + g.pixel(y * g.dst_width + x)));
                sum = hn::Add(sum, row);
            }
        }
        hn::Store(sum, d, diff_bias + g.pixel(cb));
    }
}

HWY_ATTR void BackwardWeights(const WinogradShape& g, const float* src, const float* diff_dst,
                              float* diff_weights, float* diff_bias, int images, float* memory) {
    const int most = tiles_of_gradient_round(g.src_channels, g.dst_channels);
    const int tiles = g.tiles() * images;
    const Scratch scratch(g, most, memory);
    // In one round, a panel goes from products to weights while it is in the cache, and the next
    // one takes its place; in several, all panels add up until the last tiles are in.
    const bool is_one_round = tiles <= most;
    const std::size_t step =
        is_one_round ? padded_step(size(g.src_channels) * 2 * size(g.block)) : scratch.w_step;
    for_each_round(tiles, most, [&](int begin, int count) HWY_ATTR {
        transform_inputs(g, src, begin, count, scratch);
        transform_gradients(g, diff_dst, begin, count, scratch);
        for_each_panel(g.dst_channels, g.block, [&](int first, int vectors) HWY_ATTR {
            float* panel = scratch.w + (is_one_round ? 0 : size(first) * size(g.src_channels));
            multiply_gradients(g, first, vectors, count, begin > 0, scratch, panel, step);
            if (begin + count == tiles)
                transform_weight_gradients(g, first, vectors, panel, step, diff_weights);
        });
    });
    sum_bias(g, diff_dst, diff_bias, images);
}

// ---- backward data of single tiles -------------------------------------------------------------

// B (U Z) B^T, with `back` the geometry of the products: diff_dst's channels to src's.
HWY_ATTR void SpreadTiles(const WinogradShape& g, const WinogradShape& back, const float* diff_dst,
                          const float* filters, float* diff_src, int images, float* memory) {
    const int most = tiles_of_round(g.src_channels, g.dst_channels);
    Scratch scratch(back, most, memory);
    Scratch gradients = scratch;  // transform_gradients() writes to m
    gradients.m = scratch.v;
    gradients.m_step = scratch.v_step;
    for_each_round(images, most, [&](int first, int count) HWY_ATTR {
        transform_gradients(g, diff_dst, first, count, gradients);
        multiply_filters(back, filters, count, scratch);
        for (int i = 0; i < count; ++i)
            for (int cb = 0; cb < g.src_blocks(); ++cb)
                input_gradient_tile(
                    g, scratch.m + size(i) * size(g.src_channels) + g.pixel(cb), scratch.m_step,
                    diff_src + size((first + i) * g.src_blocks() + cb) * g.src_plane());
    });
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(Lanes);
HWY_EXPORT(TransformFilters);
HWY_EXPORT(TransformFiltersForData);
HWY_EXPORT(Convolve);
HWY_EXPORT(BackwardWeights);
HWY_EXPORT(SpreadTiles);

namespace {

// diff_dst takes the part of src.
WinogradShape backward_of(const WinogradShape& s) {
    return {.block = s.block,
            .src_channels = s.dst_channels,
            .dst_channels = s.src_channels,
            .src_height = s.dst_height,
            .src_width = s.dst_width,
            .dst_height = s.src_height,
            .dst_width = s.src_width,
            .pad_top = 2 - s.pad_top,
            .pad_left = 2 - s.pad_left};
}

std::size_t scratch_of(const WinogradShape& g) {
    const auto size = [](int value) { return static_cast<std::size_t>(value); };
    const std::size_t tiles =
        size(std::max(tiles_of_round(g.src_channels, g.dst_channels),
                      tiles_of_gradient_round(g.src_channels, g.dst_channels)));
    return g.pixel(std::max(g.src_width, g.dst_width)) +
           36 * (padded_step(tiles * size(g.src_channels)) +
                 padded_step(tiles * size(g.dst_channels)) +
                 padded_step(size(g.src_channels) *
                             std::max(size(g.dst_channels), 2 * size(g.block))));
}

}  // namespace

int winograd_block() { return HWY_DYNAMIC_DISPATCH(Lanes)(); }

Winograd::Winograd(const WinogradShape& shape) : shape_(shape) {
    const bool are_blocks_whole = shape.block == winograd_block() && shape.src_channels > 0 &&
                                  shape.dst_channels > 0 && shape.src_channels % shape.block == 0 &&
                                  shape.dst_channels % shape.block == 0;
    const bool is_pad_known = std::min(shape.pad_top, shape.pad_left) >= 0 &&
                              std::max(shape.pad_top, shape.pad_left) <= 2;
    if (!are_blocks_whole || !is_pad_known)
        throw std::invalid_argument(
            "Winograd takes whole blocks of channels and padding of 0 to 2");
}

std::size_t Winograd::filter_floats() const {
    return 36 * padded_step(static_cast<std::size_t>(shape_.src_channels) *
                            static_cast<std::size_t>(shape_.dst_channels));
}

std::size_t Winograd::scratch_floats() const {
    return std::max(scratch_of(shape_), scratch_of(backward_of(shape_)));
}

void Winograd::transform_filters(const float* weights, float* filters) const {
    HWY_DYNAMIC_DISPATCH(TransformFilters)(shape_, weights, filters);
}

void Winograd::transform_filters_for_data(const float* weights, float* filters) const {
    const bool turns = !is_single_tile(shape_);
    HWY_DYNAMIC_DISPATCH(TransformFiltersForData)(shape_, turns, weights, filters);
}

void Winograd::forward(const float* src, const float* filters, const float* bias, bool has_relu,
                       float* dst, int images, float* scratch) const {
    HWY_DYNAMIC_DISPATCH(Convolve)
    (shape_, src, filters, bias, has_relu, dst, images, scratch);
}

void Winograd::backward_data(const float* diff_dst, const float* filters, float* diff_src,
                             int images, float* scratch) const {
    if (is_single_tile(shape_)) {
        HWY_DYNAMIC_DISPATCH(SpreadTiles)
        (shape_, backward_of(shape_), diff_dst, filters, diff_src, images, scratch);
        return;
    }
    HWY_DYNAMIC_DISPATCH(Convolve)
    (backward_of(shape_), diff_dst, filters, nullptr, false, diff_src, images, scratch);
}

void Winograd::backward_weights(const float* src, const float* diff_dst, float* diff_weights,
                                float* diff_bias, int images, float* scratch) const {
    HWY_DYNAMIC_DISPATCH(BackwardWeights)
    (shape_, src, diff_dst, diff_weights, diff_bias, images, scratch);
}

}  // namespace lockstep::trainer
#endif  // HWY_ONCE
