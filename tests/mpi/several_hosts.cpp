// Makes the ranks of a test program believe that they are on two hosts, even ones here, odd ones
// there: a function of MPI's profiling interface stands in front of the library's own. What the
// program trains then goes by messages, as between the nodes of a cluster.
#include <mpi.h>

#include "tests/support/catch.hpp"
#include "trainer/exchange/shared_memory.hpp"
#include "trainer/exchange/tree_exchange.hpp"

extern "C" int MPI_Comm_split_type(MPI_Comm comm, int split_type, int key, MPI_Info info,
                                   MPI_Comm* part) {
    if (split_type != MPI_COMM_TYPE_SHARED) {
        return PMPI_Comm_split_type(comm, split_type, key, info, part);
    }
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return PMPI_Comm_split(comm, rank % 2, key, part);
}

using namespace lockstep::trainer;

TEST_CASE("ordered sends messages where the ranks are on several hosts", "[trainer][mpi]") {
    const Communicator comm(MPI_COMM_WORLD);
    REQUIRE(comm.size() > 1);  // else this program tries nothing
    CHECK_FALSE(SharedMemory::map(comm, 1000));
    const TreeExchange exchange(comm, {.count = 1000, .shards = 8, .filled_shards = {8}});
    CHECK(exchange.sends_messages());
    CHECK_FALSE(exchange.shares_memory());  // a host's ranks are no neighbours here
}
