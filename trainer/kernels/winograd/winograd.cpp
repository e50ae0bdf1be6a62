#include "trainer/kernels/winograd/winograd.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>

#include "trainer/kernels/vector_lanes.hpp"
#include "trainer/kernels/winograd/geometry.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/winograd/winograd.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/winograd/filters-inl.hpp"
#include "trainer/kernels/winograd/products-inl.hpp"
#include "trainer/kernels/winograd/rounds-inl.hpp"
#include "trainer/kernels/winograd/tiles-inl.hpp"
#include "trainer/kernels/winograd/transforms-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void TransformFilters(const WinogradShape& s, const float* weights, float* filters) {
    s.taps == 3 ? transform_filters<3>(s, weights, filters)
                : transform_filters<2>(s, weights, filters);
}

void TransformFiltersForData(const WinogradShape& s, const float* weights, float* filters) {
    s.taps == 3 ? transform_filters_for_data<3>(s, weights, filters)
                : transform_filters_for_data<2>(s, weights, filters);
}

// ---- forward -----------------------------------------------------------------------------------

template <int kTaps>
HWY_ATTR void convolve(const WinogradShape& s, const float* src, const float* filters,
                       const float* bias, bool has_relu, float* dst, int images, float* memory) {
    const TileGrid grid(s);
    const float* zeros = memory;
    const TileValues v(s.src_channels, kTilesOfRound, kTaps, memory + zero_floats(s));
    const TileValues m(s.dst_channels, kTilesOfRound, kTaps, v.end());
    std::fill_n(memory, zero_floats(s), 0.0F);
    for_each_round(grid.tiles() * images, kTilesOfRound, [&](int first, int count) HWY_ATTR {
        const Round round(grid, first, count);
        transform_inputs<kTaps>(s, round, src, zeros, v);
        multiply_filters<kTaps>(s.block, filters, round.counts(), v, m);
        if (has_relu)
            transform_outputs<kTaps, true>(s, round, m, bias, dst);
        else
            transform_outputs<kTaps, false>(s, round, m, bias, dst);
    });
}

void Forward(const WinogradShape& s, const float* src, const float* filters, const float* bias,
             bool has_relu, float* dst, int images, float* memory) {
    s.taps == 3 ? convolve<3>(s, src, filters, bias, has_relu, dst, images, memory)
                : convolve<2>(s, src, filters, bias, has_relu, dst, images, memory);
}

// ---- backward ----------------------------------------------------------------------------------

// Source channels of a part of the weight gradient.
inline constexpr int kGradientRows = 2 * kMaxRows;

inline std::size_t part_floats(const WinogradShape& s) {
    return size(std::min(s.src_channels, kGradientRows)) *
           size(std::min(2 * s.block, s.dst_channels));
}

// The sums over tiles of V * Z, a part of the source channels by a panel of destination channels at
// a time. In one round of tiles, a part goes from products to weights while it is in the L1 cache,
// and the next one takes its place; in several, all parts add up until the last tiles are in.
template <int kTaps>
class WeightGradient {
public:
    WeightGradient(const WinogradShape& s, bool is_one_round, float* memory)
        : s_(s), is_one_round_(is_one_round), memory_(memory) {
        step_ = is_one_round ? padded_step(part_floats(s))
                             : padded_step(size(s.src_channels) * size(s.dst_channels));
    }

    HWY_ATTR void add(const TileCounts& counts, bool is_first, bool is_last, const TileValues& v,
                      const TileValues& z, float* diff_weights) const {
        for_each_panel(s_.dst_channels, s_.block, [&](int dst, int vectors) HWY_ATTR {
            for_each_round(s_.src_channels, kGradientRows, [&](int src, int rows) HWY_ATTR {
                float* part = memory_;
                if (!is_one_round_)
                    part += size(dst) * size(s_.src_channels) + s_.pixel(src * vectors);
                multiply(counts, is_first, v, z, src, rows, dst, vectors, part);
                if (is_last) transform(src, rows, dst / s_.block, vectors, part, diff_weights);
            });
        });
    }

private:
    // [frequency][src channels][panel's dst channels] from `to` on.
    HWY_ATTR void multiply(const TileCounts& counts, bool is_first, const TileValues& v,
                           const TileValues& z, int src, int rows, int dst, int vectors,
                           float* to) const {
        for (int f = 0; f < frequencies_of(kTaps); ++f)
            multiply_rows<true>({.a = v.frequency(f) + src,
                                 .a_row = 1,
                                 .a_step = size(s_.src_channels),
                                 .b = z.frequency(f) + dst,
                                 .b_step = size(s_.dst_channels),
                                 .c = to + size(f) * step_,
                                 .c_row = s_.pixel(vectors),
                                 .depth = counts.of(f / (kTaps + 3), f % (kTaps + 3)),
                                 .adds = !is_first},
                                rows, vectors);
    }
    HWY_ATTR void transform(int src, int rows, int dst_block, int vectors, const float* from,
                            float* diff_weights) const {
        for (int row = 0; row < rows; ++row)
            for (int v = 0; v < vectors; ++v)
                filter_gradient<kTaps>(from + s_.pixel(row * vectors + v), step_,
                                       diff_weights + weight_place(s_, src + row, dst_block + v, 0),
                                       s_.pixel(s_.block));
    }

    const WinogradShape& s_;
    bool is_one_round_;
    float* memory_;
    std::size_t step_;
};

template <int kTaps>
HWY_ATTR void propagate_back(const WinogradShape& s, const WinogradBackward& buffers, int images,
                             float* memory) {
    const TileGrid grid(s);
    const int most = tiles_of_gradient_round(s), tiles = grid.tiles() * images;
    const float* zeros = memory;
    const TileValues v(s.src_channels, most, kTaps, memory + zero_floats(s));
    const TileValues z(s.dst_channels, most, kTaps, v.end());
    const WeightGradient<kTaps> gradient(s, tiles <= most, z.end());
    std::fill_n(memory, zero_floats(s), 0.0F);
    if (buffers.diff_bias != nullptr) std::fill_n(buffers.diff_bias, s.dst_channels, 0.0F);
    for_each_round(tiles, most, [&](int first, int count) HWY_ATTR {
        const Round round(grid, first, count);
        if (buffers.relu_dst != nullptr)
            transform_gradients<kTaps, true>(s, round, buffers, z);
        else
            transform_gradients<kTaps, false>(s, round, buffers, z);
        if (buffers.diff_weights != nullptr) {
            transform_inputs<kTaps>(s, round, buffers.src, zeros, v);
            gradient.add(round.counts(), first == 0, first + count == tiles, v, z,
                         buffers.diff_weights);
        }
        if (buffers.diff_src != nullptr) {  // V is no longer needed: its memory is used again
            multiply_filters<kTaps>(s.block, buffers.filters, round.counts(), z, v);
            transform_input_gradients<kTaps>(s, round, v, buffers.diff_src);
        }
    });
}

void Backward(const WinogradShape& s, const WinogradBackward& buffers, int images, float* memory) {
    s.taps == 3 ? propagate_back<3>(s, buffers, images, memory)
                : propagate_back<2>(s, buffers, images, memory);
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(TransformFilters);
HWY_EXPORT(TransformFiltersForData);
HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

namespace {

std::size_t size(int value) { return static_cast<std::size_t>(value); }

}  // namespace

Winograd::Winograd(const WinogradShape& shape) : shape_(shape) {
    const bool are_blocks_whole = shape.block == vector_lanes() && shape.src_channels > 0 &&
                                  shape.dst_channels > 0 && shape.src_channels % shape.block == 0 &&
                                  shape.dst_channels % shape.block == 0;
    const bool are_taps_known = shape.taps == 2 || shape.taps == 3;
    const bool is_pad_known = std::min(shape.pad_top, shape.pad_left) >= 0 &&
                              std::max(shape.pad_top, shape.pad_left) < shape.taps;
    // Else pixels of diff_src behind the last tiles would have no gradient.
    const bool is_src_covered =
        shape.dst_height + shape.taps - 1 >= shape.src_height + shape.pad_top &&
        shape.dst_width + shape.taps - 1 >= shape.src_width + shape.pad_left;
    if (!are_blocks_whole || !are_taps_known || !is_pad_known || !is_src_covered)
        throw std::invalid_argument(
            "Winograd takes whole blocks of channels, 2 x 2 or 3 x 3 taps, and padding of less");
}

std::size_t Winograd::filter_floats() const {
    return size(frequencies_of(shape_.taps)) *
           padded_step(size(shape_.src_channels) * size(shape_.dst_channels));
}

std::size_t Winograd::scratch_floats() const {
    const std::size_t tiles = size(std::max(kTilesOfRound, tiles_of_gradient_round(shape_)));
    return shape_.pixel(shape_.src_width) + filter_floats() +
           size(frequencies_of(shape_.taps)) * (padded_step(tiles * size(shape_.src_channels)) +
                                                padded_step(tiles * size(shape_.dst_channels)));
}

void Winograd::transform_filters(const float* weights, float* filters) const {
    HWY_DYNAMIC_DISPATCH(TransformFilters)(shape_, weights, filters);
}

void Winograd::transform_filters_for_data(const float* weights, float* filters) const {
    HWY_DYNAMIC_DISPATCH(TransformFiltersForData)(shape_, weights, filters);
}

void Winograd::forward(const float* src, const float* filters, const float* bias, bool has_relu,
                       float* dst, int images, float* scratch) const {
    HWY_DYNAMIC_DISPATCH(Forward)
    (shape_, src, filters, bias, has_relu, dst, images, scratch);
}

void Winograd::backward(const WinogradBackward& buffers, int images, float* scratch) const {
    HWY_DYNAMIC_DISPATCH(Backward)(shape_, buffers, images, scratch);
}

}  // namespace lockstep::trainer
#endif  // HWY_ONCE
