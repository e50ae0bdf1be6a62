#pragma once

// Adding gradients in the order of the tree (shard_tree.hpp), in one pass over memory.

#include <cstddef>
#include <span>

namespace lockstep::trainer {

// sum[i] = the elements first + i of all terms, added in float32 as `additions` says, for every i
// alike: vector width and position never change a bit. Without terms the sum is zero.
//   terms       each of shape [first + sum.size()] at least
//   additions   of additions_after(), one for each term
//   sum         may lie anywhere in memory; may be a term's own elements from `first` on
void add_in_tree_order(std::span<const float* const> terms, std::span<const int> additions,
                       std::size_t first, std::span<float> sum);

}  // namespace lockstep::trainer
