// The ranks of these tests are on one host: `ordered`, the default, must meet in shared memory, or
// everything else that this program finds right would be right of another transport.
#include "tests/support/catch.hpp"
#include "trainer/exchange/tree_exchange.hpp"

using namespace lockstep::trainer;

TEST_CASE("ordered meets in shared memory where all ranks are on one host", "[trainer][mpi]") {
    const Communicator comm(MPI_COMM_WORLD);
    const TreeExchange exchange(comm, {.count = 1000, .shards = 8, .filled_shards = {8}});
    CHECK(exchange.shares_memory() == (comm.size() > 1));  // one rank has nobody to share with
    CHECK_FALSE(exchange.sends_messages());
}
