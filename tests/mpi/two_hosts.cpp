// Makes the ranks of a test program believe that the first half of them is on one host and the
// second on another, as an even number of ranks stands on the nodes of a cluster: see
// several_hosts.cpp.
#include <mpi.h>

#include "tests/support/catch.hpp"
#include "trainer/exchange/tree_exchange.hpp"

extern "C" int MPI_Comm_split_type(MPI_Comm comm, int split_type, int key, MPI_Info info,
                                   MPI_Comm* part) {
    if (split_type != MPI_COMM_TYPE_SHARED) {
        return PMPI_Comm_split_type(comm, split_type, key, info, part);
    }
    int rank = 0, ranks = 1;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    return PMPI_Comm_split(comm, rank * 2 / ranks, key, part);
}

using namespace lockstep::trainer;

TEST_CASE("ordered shares memory on each host and sends messages between them", "[trainer][mpi]") {
    const Communicator comm(MPI_COMM_WORLD);
    REQUIRE(comm.size() % 2 == 0);
    const TreeExchange exchange(comm, {.count = 1000, .shards = 8, .filled_shards = {8}});
    CHECK(exchange.sends_messages());
    CHECK(exchange.shares_memory() == (comm.size() > 2));
}
