#pragma once

// One convolution as its tiles: what the loops of winograd.cpp go over.

#include <algorithm>
#include <cstddef>

#include "trainer/kernels/winograd/winograd.hpp"

namespace lockstep::trainer {

// The tiles along one side of the output. They give four pixels each; where the side is no
// multiple of four, the last ones give three, of five frequencies instead of six, as few pixels as
// possible being computed in vain: 13 = 4 + 3 + 3 + 3. With two taps all give four, of five.
struct TileAxis {
    int tiles = 0;
    int fours = 0;  // the first ones
    bool has_six = true;

    static TileAxis of(int outputs, int taps) {
        const int tiles = (outputs + 3) / 4;
        const int threes = taps == 3 ? std::min(tiles, 4 * tiles - outputs) : 0;
        return {tiles, tiles - threes, taps == 3};
    }
    int begin(int tile) const { return 4 * tile - std::max(0, tile - fours); }
    bool is_six(int tile) const { return has_six && tile < fours; }
    int points() const { return 5 * tiles + (has_six ? fours : 0); }  // of all tiles
};

struct TileGrid {
    TileAxis rows, columns;

    explicit TileGrid(const WinogradShape& s)
        : rows(TileAxis::of(s.dst_height, s.taps)), columns(TileAxis::of(s.dst_width, s.taps)) {}
    int tiles() const { return rows.tiles * columns.tiles; }  // of an image
};

// A tile, and its place among all tiles of its image.
struct TilePlace {
    int image = 0;
    int row = 0;  // of tiles
    int column = 0;

    static TilePlace of(const TileGrid& grid, int tile) {
        const int in_image = tile % grid.tiles();
        return {tile / grid.tiles(), in_image / grid.columns.tiles, in_image % grid.columns.tiles};
    }
    void advance(const TileGrid& grid) {
        if (++column < grid.columns.tiles) return;
        column = 0;
        if (++row < grid.rows.tiles) return;
        row = 0;
        ++image;
    }
};

// How many tiles of a round have a frequency: all of them those of the first five points both ways;
// tiles of six rows, of six columns, or of both, those of the sixth point.
struct TileCounts {
    int all = 0, six_rows = 0, six_columns = 0, six_both = 0;

    void add(bool has_six_rows, bool has_six_columns) {
        ++all;
        six_rows += has_six_rows ? 1 : 0;
        six_columns += has_six_columns ? 1 : 0;
        six_both += has_six_rows && has_six_columns ? 1 : 0;
    }
    int of(int row, int column) const {
        return row < 5 ? (column < 5 ? all : six_columns) : (column < 5 ? six_rows : six_both);
    }
};

inline int frequencies_of(int taps) { return (taps + 3) * (taps + 3); }

// Floats between two frequencies: a cache line more than the data, as distances that are powers of
// two would send all of them to the same lines of the L1 cache.
inline std::size_t padded_step(std::size_t floats) { return floats + 16; }

// Tiles of one round through transform, products and transform: enough of them that filters out of
// the L3 cache are read fast enough, few enough that V and M of 64 channels stay in the L2 cache.
inline constexpr int kTilesOfRound = 32;

// Tiles of one round of the gradients: V and Z weigh as much as the weight gradient's frequencies,
// which each round but a single one reads and writes.
inline int tiles_of_gradient_round(const WinogradShape& s) {
    return std::clamp(s.src_channels * s.dst_channels / (s.src_channels + s.dst_channels), 64, 256);
}

}  // namespace lockstep::trainer
