#pragma once

// One convolution as its tiles: what the loops of winograd.cpp go over.

#include <cstddef>

#include "trainer/kernels/winograd/winograd.hpp"

namespace lockstep::trainer {

struct TilePlace {
    int image = 0;
    int row = 0;  // of tiles
    int column = 0;

    static TilePlace of(const WinogradShape& g, int tile) {
        const int in_image = tile % g.tiles();
        return {tile / g.tiles(), in_image / g.tile_columns(), in_image % g.tile_columns()};
    }
};

// Floats between two frequencies: a cache line more than the data, as distances that are powers of
// two would send all 36 to the same lines of the L1 cache.
inline std::size_t padded_step(std::size_t floats) { return floats + 16; }

// Tiles of one round through transform, products and transform: V and M of a round share the L2
// cache with the filters.
inline int tiles_of_round(int src_channels, int dst_channels) {
    constexpr int kFloats = 150'000;  // of V and M
    const int tiles = kFloats / (36 * (src_channels + dst_channels));
    return tiles < 8 ? 8 : tiles > 64 ? 64 : tiles;
}

// Tiles of one round of a weight gradient: more of them, as each round reads and writes a gradient
// of 36 values a filter.
inline int tiles_of_gradient_round(int src_channels, int dst_channels) {
    constexpr int kFloats = 330'000;  // of V and Z
    const int tiles = kFloats / (36 * (src_channels + dst_channels));
    return tiles < 8 ? 8 : tiles > 128 ? 128 : tiles;
}

// Backward data of an image that is one tile of the output: it takes the transposed maps
// themselves, where a convolution of diff_dst would need four tiles or more.
inline bool is_single_tile(const WinogradShape& forward) {
    return forward.tiles() == 1 && forward.src_height + forward.pad_top <= 6 &&
           forward.src_width + forward.pad_left <= 6;
}

}  // namespace lockstep::trainer
