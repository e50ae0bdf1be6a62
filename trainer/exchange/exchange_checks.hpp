#pragma once

// What every exchange checks before it sends anything.

#include <cstddef>
#include <span>
#include <string_view>

#include "trainer/exchange/communicator.hpp"
#include "trainer/exchange/exchange.hpp"
#include "trainer/exchange/sum_in_shard_order.hpp"

namespace lockstep::trainer {

// Collective.
// Throws CommError, on every rank, unless `value` is the same on all ranks. `what` names it.
void require_equal_on_all_ranks(const Communicator& comm, std::size_t value, std::string_view what);

// Collective.
// Throws CommError, on every rank, unless the setting is the same on all ranks and MPI's int can
// count its floats.
void require_equal_on_all_ranks(const Communicator& comm, const ExchangeSetting& setting);

// Throws std::invalid_argument if a shard gradient or the sum has not `count` elements.
void require_lengths(ShardGradients own_shards, std::span<const float> sum, std::size_t count);

}  // namespace lockstep::trainer
