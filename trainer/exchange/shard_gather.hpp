#pragma once

// Every shard's small table of doubles, on every rank.
//
// Batch statistics need sums over the whole batch in the middle of a layer. Each rank computes
// those of its own shards; the gather makes them known to all ranks without adding anything, and
// every rank then combines them in shard order. So the combination cannot depend on the ranks.
//
// In a node the tables lie in shared memory, where each rank writes its own and reads all. Between
// nodes each rank sends its tables to the ranks that have its place on the others, all messages at
// once, and those receive them into their nodes' memory. Then the node's ranks meet: a gather takes
// one latency and one meeting, on any number of nodes. Two sets of tables are used in turn, so a
// rank may write for the next gather while others still read this one's.

#include <mpi.h>

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "trainer/exchange/communicator.hpp"
#include "trainer/exchange/meeting.hpp"
#include "trainer/exchange/nodes.hpp"
#include "trainer/exchange/shared_memory.hpp"

namespace lockstep::trainer {

class ShardGather {
public:
    // Collective. comm must outlive the gather.
    //   filled_shards   shards with samples, by rank (filled_shards_by_rank())
    //   values          doubles a shard
    ShardGather(const Communicator& comm, std::span<const int> filled_shards, int values);

    int shards() const { return shards_; }
    // The table of own shard `i`, to be filled before gather(): another place each time.
    std::span<double> own(std::size_t i);
    void gather();  // collective; throws CommError
    // The table of shard `i` of the whole batch, after gather() and until the next one is called.
    std::span<const double> shard(int i) const;

private:
    struct Layout {                // in doubles
        std::vector<int> counts;   // by rank
        std::vector<int> offsets;  // by rank, of whole cache lines
        int size = 0;
    };
    struct Place {
        Nodes nodes;
        std::optional<SharedMemory> shared;  // the counters of the node's ranks, then both sets
    };
    static Layout layout_of(std::span<const int> filled_shards, int values);
    static Place find_place(const Communicator& comm, int size);
    void lay_out_sets();
    void exchange_between_nodes();
    std::span<double> tables_of(int rank);

    const Communicator& comm_;
    Layout layout_;
    Place place_;
    std::size_t values_;
    int shards_ = 0;
    std::vector<std::size_t> shard_offsets_;  // by shard, in a set
    std::vector<double> own_;                 // both sets, where memory is not shared
    std::array<std::span<double>, 2> sets_;   // [layout.size], of this gather and of the next
    std::optional<Meeting> meeting_;          // where memory is shared
    std::vector<MPI_Request> messages_;       // of a gather
    std::size_t written_ = 0;                 // the set that own() writes
};

}  // namespace lockstep::trainer
