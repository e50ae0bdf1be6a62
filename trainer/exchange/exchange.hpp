#pragma once

// The sum of one gradient buffer per shard over the shards of all ranks.

#include <cstddef>
#include <memory>
#include <span>

#include "trainer/config/train_config.hpp"
#include "trainer/exchange/communicator.hpp"

namespace lockstep::trainer {

class Exchange {
public:
    virtual ~Exchange() = default;

    // Sums over the shards of all ranks. Collective.
    //   own_shards   this rank's shard gradients in ascending shard order, each of shape [count];
    //                empty on a rank that owns no shard of this step
    //   sum          shape [count]; out: the sum, on every rank. Overlaps no shard
    // Throws
    //   std::invalid_argument   if a length is not `count`; this rank has then sent nothing
    //   CommError               if MPI fails; `sum` is then undefined and other ranks may wait
    //                           forever, so the caller ends the run
    virtual void sum_shards(std::span<const std::span<const float>> own_shards,
                            std::span<float> sum) = 0;
};

// Makes the exchange of that kind for buffers of `count` elements. Collective.
std::unique_ptr<Exchange> make_exchange(ExchangeKind kind, const Communicator& comm,
                                        std::size_t count);

}  // namespace lockstep::trainer
