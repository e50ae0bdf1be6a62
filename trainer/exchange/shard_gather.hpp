#pragma once

// Every shard's small table of doubles, on every rank.
//
// Batch statistics need sums over the whole batch in the middle of a layer. Each rank computes
// those of its own shards; the gather moves them to all ranks without adding anything, and every
// rank then combines them in shard order. So the combination cannot depend on the ranks.
// Cost: one MPI_Allgatherv of shards x values x 8 bytes.

#include <span>
#include <vector>

#include "trainer/exchange/communicator.hpp"

namespace lockstep::trainer {

class ShardGather {
public:
    //   filled_shards   shards with samples, by rank (filled_shards_by_rank())
    //   values          doubles a shard
    ShardGather(const Communicator& comm, std::span<const int> filled_shards, int values);

    int shards() const { return shards_; }
    // The table of own shard `i`, to be filled before gather().
    std::span<double> own(std::size_t i);
    void gather();  // collective; throws CommError
    // The table of shard `i` of the whole batch, after gather().
    std::span<const double> shard(int i) const;

private:
    const Communicator& comm_;
    std::size_t values_;
    int shards_ = 0;
    std::vector<int> counts_;  // doubles by rank
    std::vector<int> offsets_;
    std::vector<double> own_;
    std::vector<double> all_;
};

}  // namespace lockstep::trainer
