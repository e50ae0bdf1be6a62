#pragma once

// The order in which the gradients of shards are added: a balanced binary tree over the shards that
// have samples (the filled ones, which come first).
//
// Node (level, i) is the sum of shards [i 2^level, (i + 1) 2^level), cut off behind the last filled
// one: its left child plus its right child in float32. Where a child has no shards, the other one
// is passed on as it is; a leaf is a shard's gradient. So the order knows nothing of ranks, and a
// rank can add up every subtree that lies in its own range of shards before anything travels.
//
// Pure functions.

#include <span>
#include <vector>

#include "trainer/determinism/batch_geometry.hpp"

namespace lockstep::trainer {

// The nodes that make up the filled ones of `shards`, as ranges of shards, in order: as few and as
// large as there are. At most 2 log2(filled), none if no shard of the range is filled.
std::vector<SampleRange> subtrees_of(SampleRange shards, int filled);

// How to add neighbouring nodes up to the node that they make up: a postfix expression. Term i is
// pushed on a stack; then the two topmost sums are added, result[i] times. One sum is left.
//   terms   ranges of shards, each a node, in order; none gives an empty expression
// Throws std::invalid_argument if the terms are no neighbouring nodes, or make up no node.
std::vector<int> additions_after(std::span<const SampleRange> terms, int filled);

}  // namespace lockstep::trainer
