#pragma once

// Adding shard gradients in one pass over memory, strictly in shard order.

#include <cstddef>
#include <span>

namespace lockstep::trainer {

// The shard gradients of one rank in ascending shard order, each of the same shape [count].
using ShardGradients = std::span<const std::span<const float>>;

// sum[i] = ((+0 + g0[i]) + g1[i]) + ... in float32, for every i alike: vector width and position
// never change a bit. Without shards the sum is zero.
//   shards   each of shape [count]
//   sum      shape [count]; may lie anywhere in memory, overlaps no shard
void sum_in_shard_order(ShardGradients shards, std::span<float> sum);

// Goes on with a sum that others began: sum[i] = ((partial[i] + g0[first + i]) + ...) + ...
//   partial   shape [n], the sum over all shards before these; may be `sum` itself
//   shards    their elements first .. first + n - 1 are added
//   sum       shape [n]
void add_in_shard_order(std::span<const float> partial, ShardGradients shards, std::size_t first,
                        std::span<float> sum);

// The same from +0, for the rank that begins: sum[i] = (+0 + g0[first + i]) + ...
void begin_in_shard_order(ShardGradients shards, std::size_t first, std::span<float> sum);

}  // namespace lockstep::trainer
