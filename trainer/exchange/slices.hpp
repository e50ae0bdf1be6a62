#pragma once

#include <algorithm>
#include <cstddef>

#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::trainer {

struct Slice {
    std::size_t first = 0;
    std::size_t count = 0;
};

// Part `index` of `count` floats in `parts` of near-equal length, of whole cache lines as far as
// the end allows: two ranks never write the same line. Parts may be empty.
inline Slice slice_of(std::size_t count, int parts, int index) {
    const std::size_t lines = (count + kAlignedFloats - 1) / kAlignedFloats;
    const auto begin = [&](int part) {
        const std::size_t line =
            lines * static_cast<std::size_t>(part) / static_cast<std::size_t>(parts);
        return std::min(count, line * kAlignedFloats);
    };
    return {begin(index), begin(index + 1) - begin(index)};
}

// Chunk `index` of a slice that is cut into chunks of `chunk_size`; empty behind the end.
inline Slice chunk_of(const Slice& slice, std::size_t chunk_size, std::size_t index) {
    const std::size_t first = std::min(index * chunk_size, slice.count);
    return {slice.first + first, std::min(chunk_size, slice.count - first)};
}

inline std::size_t chunks_in(const Slice& slice, std::size_t chunk_size) {
    return (slice.count + chunk_size - 1) / chunk_size;
}

}  // namespace lockstep::trainer
