#pragma once

// What the numbers inside of kernels and messages can count. A network or batch beyond them is
// refused where it is planned: past that, every narrowing is safe.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "trainer/config/architecture.hpp"

namespace lockstep::trainer {

// Values of one tensor that a kernel is given, padding included: oneDNN's kernels, and MPI's
// counts, go by 32-bit numbers.
inline constexpr std::int64_t kMostValues = std::numeric_limits<std::int32_t>::max();
// Pixels of one pooling window inside the image: the place of its maximum is kept in 16 bits.
inline constexpr std::int64_t kMostPlaces = std::int64_t{1} << 16;
// Pixels of a side that a kernel with gaps reaches over, or that padding or enlarging makes: what
// is counted from there on stays far below an int's limit.
inline constexpr std::int64_t kMostSide = std::int64_t{1} << 16;
// Samples of a batch: sums over it count in float32, which is exact so far.
inline constexpr std::int64_t kMostSamplesOfBatch = std::int64_t{1} << 24;
// Channels are padded to whole blocks of this many at most (kernels/layout.hpp).
inline constexpr std::int64_t kWidestBlock = 16;

// Values of one sample at most as they lie in memory, channels padded to whole blocks; those of a
// vector as it is, as a dense layer makes it.
std::int64_t padded_values(const Shape& shape);

// Why a layer is too large to be computed; nothing where it is not. Its shapes are set, and its
// padded_input.
std::optional<std::string> too_large(const LayerShape& layer);
// The same for a pooling window of this many pixels.
std::optional<std::string> too_many_places(std::int64_t height, std::int64_t width);

// Throws std::length_error, with `what` in its words, if `values` are more than kMostValues.
void require_countable(double values, const char* what);

}  // namespace lockstep::trainer
