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
// Samples of a batch: sums over it count in float32, which is exact so far.
inline constexpr std::int64_t kMostSamplesOfBatch = std::int64_t{1} << 24;
// Channels are padded to whole blocks of this many at most (kernels/layout.hpp).
inline constexpr std::int64_t kWidestBlock = 16;

// Why a layer is too large to be computed; nothing where it is not. Its shapes are set.
std::optional<std::string> too_large(const LayerShape& layer);
// The same for a pooling window of this many pixels.
std::optional<std::string> too_many_places(std::int64_t height, std::int64_t width);

// Throws std::length_error, with `what` in its words, if `values` are more than kMostValues.
void require_countable(double values, const char* what);

}  // namespace lockstep::trainer
