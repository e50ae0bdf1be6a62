#pragma once

// Where the pixels of a row come from, on one axis, if they come from between pixels.

#include <cstddef>
#include <span>

namespace lockstep::trainer {

// Of x = 0, 1, ...: the pixel in front of the place (of_row + slope x) + start, kept within a
// million of the image, and how far the place is behind it, in [0, 1). Vectors of doubles; each x
// is computed alone.
//   first, weight   of one size, a multiple of kNeighbours
void find_neighbours(double of_row, double slope, double start, std::span<int> first,
                     std::span<float> weight);

inline constexpr std::size_t kNeighbours = 16;  // doubles of the widest vector, and more

}  // namespace lockstep::trainer
