// The tiles of one round, all channels: images to frequencies, products, and back. Included once
// for each instruction set, as transforms-inl.hpp.

#if defined(LOCKSTEP_WINOGRAD_ROUNDS) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_WINOGRAD_ROUNDS
#undef LOCKSTEP_WINOGRAD_ROUNDS
#else
#define LOCKSTEP_WINOGRAD_ROUNDS
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "trainer/kernels/winograd/filters-inl.hpp"
#include "trainer/kernels/winograd/geometry.hpp"
#include "trainer/kernels/winograd/products-inl.hpp"
#include "trainer/kernels/winograd/tiles-inl.hpp"
#include "trainer/kernels/winograd/transforms-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// V, Z or M of the tiles of a round: [frequency][tile][channel].
struct TileValues {
    float* data;
    std::size_t channels, step;
    int frequencies;

    TileValues(int channel_count, int tiles, int taps, float* memory)
        : data(memory),
          channels(size(channel_count)),
          step(padded_step(size(tiles) * channels)),
          frequencies(frequencies_of(taps)) {}
    float* end() const { return frequency(frequencies); }
    float* frequency(int f) const { return data + size(f) * step; }
    // Of the tile that follows those counted in `before`.
    HWY_INLINE Frequencies of_tile(const TileCounts& before) const {
        const auto tile = [&](int count) { return data + size(count) * channels; };
        return {tile(before.all), tile(before.six_columns), tile(before.six_rows),
                tile(before.six_both), step};
    }
};

// Parts of nearly equal size: visit(first, count).
template <class Visit>
HWY_ATTR void for_each_round(int all, int most, Visit visit) {
    int first = 0;
    for (int rounds = (all + most - 1) / most; rounds > 0; --rounds) {
        const int count = (all - first + rounds - 1) / rounds;
        visit(first, count);
        first += count;
    }
}

class Round {
public:
    Round(const TileGrid& grid, int first, int count) : grid_(grid), first_(first), count_(count) {
        TilePlace place = TilePlace::of(grid, first);
        for (int i = 0; i < count; ++i, place.advance(grid))
            counts_.add(grid.rows.is_six(place.row), grid.columns.is_six(place.column));
    }
    const TileCounts& counts() const { return counts_; }

    // visit(kind, place, counts of the tiles before)
    template <int kTaps, class Visit>
    HWY_INLINE HWY_ATTR void for_each_tile(Visit visit) const {
        TilePlace place = TilePlace::of(grid_, first_);
        TileCounts before;
        for (int i = 0; i < count_; ++i, place.advance(grid_)) {
            const bool six_rows = grid_.rows.is_six(place.row);
            const bool six_columns = grid_.columns.is_six(place.column);
            if constexpr (kTaps == 2) {
                visit(TileKind<2, 5, 5>(), place, before);
            } else if (six_rows) {
                six_columns ? visit(TileKind<3, 6, 6>(), place, before)
                            : visit(TileKind<3, 6, 5>(), place, before);
            } else {
                six_columns ? visit(TileKind<3, 5, 6>(), place, before)
                            : visit(TileKind<3, 5, 5>(), place, before);
            }
            before.add(six_rows, six_columns);
        }
    }
    TileView src_view(const WinogradShape& s, const TilePlace& place) const {
        return {grid_.rows.begin(place.row) - s.pad_top,
                grid_.columns.begin(place.column) - s.pad_left, s.src_height, s.src_width,
                size(s.block)};
    }
    TileView dst_view(const WinogradShape& s, const TilePlace& place) const {
        return {grid_.rows.begin(place.row), grid_.columns.begin(place.column), s.dst_height,
                s.dst_width, size(s.block)};
    }

private:
    const TileGrid& grid_;
    int first_, count_;
    TileCounts counts_;
};

// A row of zeros, which stands for rows outside of src.
inline std::size_t zero_floats(const WinogradShape& s) { return s.pixel(s.src_width); }

template <int kTaps>
HWY_ATTR void transform_inputs(const WinogradShape& s, const Round& round, const float* src,
                               const float* zeros, const TileValues& v) {
    round.for_each_tile<kTaps>(
        [&](auto kind, const TilePlace& place, const TileCounts& before) HWY_ATTR {
            using Kind = decltype(kind);
            const TileView view = round.src_view(s, place);
            const Frequencies to = v.of_tile(before);
            const float* image = src + size(place.image * s.src_blocks()) * s.src_plane();
            if (view.has_all(Kind::kRows, Kind::kColumns))
                for (int cb = 0; cb < s.src_blocks(); ++cb)
                    input_tile<Kind, true>(view, image + size(cb) * s.src_plane(), zeros,
                                           to.shifted(s.pixel(cb)));
            else
                for (int cb = 0; cb < s.src_blocks(); ++cb)
                    input_tile<Kind, false>(view, image + size(cb) * s.src_plane(), zeros,
                                            to.shifted(s.pixel(cb)));
        });
}

template <int kTaps, bool kHasRelu>
HWY_ATTR void transform_gradients(const WinogradShape& s, const Round& round,
                                  const WinogradBackward& buffers, const TileValues& z) {
    const D d;
    round.for_each_tile<kTaps>(
        [&](auto kind, const TilePlace& place, const TileCounts& before) HWY_ATTR {
            using Kind = decltype(kind);
            const TileView view = round.dst_view(s, place);
            const Frequencies to = z.of_tile(before);
            const bool is_inside = view.has_all(Kind::kOutRows, Kind::kOutColumns);
            for (int cb = 0; cb < s.dst_blocks(); ++cb) {
                const std::size_t plane = size(place.image * s.dst_blocks() + cb) * s.dst_plane();
                const float* diff_dst = buffers.diff_dst + plane;
                const float* relu_dst = kHasRelu ? buffers.relu_dst + plane : nullptr;
                const V sum = is_inside ? gradient_tile<Kind, true, kHasRelu>(
                                              view, diff_dst, relu_dst, to.shifted(s.pixel(cb)))
                                        : gradient_tile<Kind, false, kHasRelu>(
                                              view, diff_dst, relu_dst, to.shifted(s.pixel(cb)));
                if (buffers.diff_bias == nullptr) continue;
                float* bias = buffers.diff_bias + s.pixel(cb);
                hn::Store(hn::Add(hn::Load(d, bias), sum), d, bias);
            }
        });
}

// c[tile][c's channel] = sum over a's channels of a * filters, frequency by frequency.
template <int kTaps>
HWY_ATTR void multiply_filters(int block, const float* filters, const TileCounts& counts,
                               const TileValues& a, const TileValues& c) {
    const std::size_t filter_step = padded_step(a.channels * c.channels);
    const int depth = static_cast<int>(a.channels), width = static_cast<int>(c.channels);
    for (int f = 0; f < frequencies_of(kTaps); ++f)
        for_each_panel(width, block, [&](int first, int vectors) HWY_ATTR {
            multiply_rows<false>({.a = a.frequency(f),
                                  .a_row = a.channels,
                                  .a_step = 1,
                                  .b = filters + size(f) * filter_step + size(first) * a.channels,
                                  .b_step = size(vectors * block),
                                  .c = c.frequency(f) + first,
                                  .c_row = c.channels,
                                  .depth = depth,
                                  .adds = false},
                                 counts.of(f / (kTaps + 3), f % (kTaps + 3)), vectors);
        });
}

template <int kTaps, bool kHasRelu>
HWY_ATTR void transform_outputs(const WinogradShape& s, const Round& round, const TileValues& m,
                                const float* bias, float* dst) {
    const D d;
    round.for_each_tile<kTaps>(
        [&](auto kind, const TilePlace& place, const TileCounts& before) HWY_ATTR {
            const TileView view = round.dst_view(s, place);
            const Frequencies from = m.of_tile(before);
            float* image = dst + size(place.image * s.dst_blocks()) * s.dst_plane();
            for (int cb = 0; cb < s.dst_blocks(); ++cb)
                output_tile<decltype(kind), kHasRelu>(view, from.shifted(s.pixel(cb)),
                                                      hn::Load(d, bias + s.pixel(cb)),
                                                      image + size(cb) * s.dst_plane());
        });
}

// The pixels that tiles add to and none has written: the first rows and columns of an image.
template <int kTaps>
HWY_ATTR void clear_first_pixels(const WinogradShape& s, float* plane) {
    const int rows = std::clamp(kTaps - 1 - s.pad_top, 0, s.src_height);
    const int columns = std::clamp(kTaps - 1 - s.pad_left, 0, s.src_width);
    std::fill_n(plane, s.pixel(rows * s.src_width), 0.0F);
    for (int y = rows; y < s.src_height; ++y)
        std::fill_n(plane + s.pixel(y * s.src_width), s.pixel(columns), 0.0F);
}

template <int kTaps>
HWY_ATTR void transform_input_gradients(const WinogradShape& s, const Round& round,
                                        const TileValues& x, float* diff_src) {
    round.for_each_tile<kTaps>(
        [&](auto kind, const TilePlace& place, const TileCounts& before) HWY_ATTR {
            using Kind = decltype(kind);
            const TileView view = round.src_view(s, place);
            const Frequencies from = x.of_tile(before);
            float* image = diff_src + size(place.image * s.src_blocks()) * s.src_plane();
            const bool is_inside = view.has_all(Kind::kRows, Kind::kColumns);
            for (int cb = 0; cb < s.src_blocks(); ++cb) {
                float* plane = image + size(cb) * s.src_plane();
                if (place.row == 0 && place.column == 0) clear_first_pixels<kTaps>(s, plane);
                if (is_inside)
                    input_gradient_tile<Kind, true>(view, from.shifted(s.pixel(cb)), plane);
                else
                    input_gradient_tile<Kind, false>(view, from.shifted(s.pixel(cb)), plane);
            }
        });
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
