#pragma once

// Where the buffers of a plan lie: one arena, in which those whose lives do not meet share memory
// (docs/plan.md).

#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "trainer/determinism/batch_geometry.hpp"
#include "trainer/kernels/aligned_array.hpp"
#include "trainer/network/schedule.hpp"

namespace lockstep::trainer {

// Memory that plans of one network take turns to use. Build the largest plan first.
class BufferPool {
public:
    // At least `bytes` long. Stays valid as long as the pool.
    std::byte* reserve(std::size_t bytes);

private:
    std::vector<AlignedArray<unsigned char>> blocks_;
};

// Gives every buffer its place, in `works` as they run one after another, with runs assigned.
//   samples   of the rank; shards   its own, of which a buffer may hold one or all
// Returns the bytes of the arena.
std::size_t place_buffers(std::deque<Buffer>& buffers, std::span<const PlannedWork* const> works,
                          int samples, std::span<const SampleRange> shards, BufferPool& pool);

}  // namespace lockstep::trainer
