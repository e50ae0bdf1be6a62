// Every rank reads every shard's table, gather after gather, through shared memory and by messages.
#include "trainer/exchange/shard_gather.hpp"

#include <vector>

#include "tests/support/catch.hpp"
#include "trainer/determinism/shards.hpp"

using namespace lockstep::trainer;

namespace {

double element(int gather, int shard, int i) { return 1e6 * gather + 1e3 * shard + i; }

void check_gathers(const Communicator& comm, int batch, int shards, int values) {
    CAPTURE(batch, shards, values);
    const auto filled = filled_shards_by_rank(batch, shards, comm.size());
    ShardGather tables(comm, filled, values);
    int first = 0, all = 0;
    for (int rank = 0; rank < comm.size(); ++rank) {
        if (rank < comm.rank()) first += filled[static_cast<std::size_t>(rank)];
        all += filled[static_cast<std::size_t>(rank)];
    }
    CHECK(tables.shards() == all);
    const int own = filled[static_cast<std::size_t>(comm.rank())];
    int wrong = 0;
    for (int gather = 0; gather < 50; ++gather) {
        for (int s = 0; s < own; ++s)
            for (int i = 0; i < values; ++i)
                tables.own(static_cast<std::size_t>(s))[static_cast<std::size_t>(i)] =
                    element(gather, first + s, i);
        tables.gather();
        for (int s = 0; s < all; ++s)
            for (int i = 0; i < values; ++i)
                wrong += tables.shard(s)[static_cast<std::size_t>(i)] != element(gather, s, i);
    }
    CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("every rank reads every shard's table", "[trainer][mpi]") {
    const Communicator comm(MPI_COMM_WORLD);
    for (const int shards : {8, 11})
        for (const int batch : {32, 3, 1})
            for (const int values : {1, 7, 256}) check_gathers(comm, batch, shards, values);
}
