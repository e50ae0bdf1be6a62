#pragma once

// How a batch is cut into shards and how shards are given to ranks. Pure functions.
//
// The cut of a batch knows nothing of ranks: that is what makes the bits of a step independent of
// them. Ranks own contiguous ranges of shards, in rank order.

#include <vector>

#include "trainer/determinism/batch_geometry.hpp"

namespace lockstep::trainer {

// Piece `index` of `total` things cut into `pieces` contiguous pieces of near-equal size: the
// first total % pieces of them have one more. A piece may be empty.
SampleRange near_equal_piece(int total, int pieces, int index);

// Shards into which training cuts its batches: those that the run asks for, doubled until none of a
// full batch has more than kMostSamplesOfShard samples. Shards are the pieces in which activations
// go through the layers, and should fit the L2 cache.
//   batch    samples of a full batch
//   shards   ParallelConfig::shards
inline constexpr int kMostSamplesOfShard = 6;
int shards_of_batch(int batch, int shards);

// The shards of rank `rank`, as a range of shard numbers.
SampleRange shards_of_rank(int shards, int ranks, int rank);

// What rank `rank` computes of a batch of `batch` samples.
BatchGeometry batch_geometry(int batch, int shards, int ranks, int rank);

// Shards with samples in them that each rank owns, by rank.
std::vector<int> filled_shards_by_rank(int batch, int shards, int ranks);

}  // namespace lockstep::trainer
