// What takes two ranks at least: that they were made for different sizes.
#include "tests/support/catch.hpp"
#include "tests/support/tiny_training.hpp"
#include "trainer/config/errors.hpp"
#include "trainer/exchange/classic_ring.hpp"
#include "trainer/exchange/communicator.hpp"
#include "trainer/exchange/exchange.hpp"
#include "trainer/exchange/ordered_ring.hpp"

using namespace lockstep::trainer;

TEST_CASE("ranks that would go on from different steps are told so, every one") {
    using namespace lockstep::tests;
    const Communicator comm(MPI_COMM_WORLD);
    const RunConfig config = tiny_run(plain_layers());
    const Trained whole = train_tiny(config, Communicator(MPI_COMM_SELF));
    TrainState state = whole.seen.snapshots.front().state;
    if (!comm.is_root()) state.so_far.steps = 1;
    CHECK_THROWS_AS(train_tiny(config, comm, &state), ReplicaError);
}

TEST_CASE("ranks that disagree about a size are told so, every one") {
    const Communicator comm(MPI_COMM_WORLD);
    REQUIRE(comm.size() > 1);  // the same on every rank
    const std::size_t mine = comm.is_root() ? 100 : 101;
    const int batch = comm.is_root() ? 8 : 7;
    for (const ExchangeKind kind : {ExchangeKind::ordered, ExchangeKind::ring, ExchangeKind::mpi}) {
        const auto check = [&](const ExchangeSetting& setting) {
            CHECK_THROWS_AS(make_exchange(kind, comm, setting), CommError);
        };
        check({.count = mine, .tail = 16, .shards = 8, .filled_shards = {8}});
        check({.count = 100, .tail = mine, .shards = 8, .filled_shards = {8}});
        check({.count = 100, .tail = 16, .shards = batch, .filled_shards = {7}});
        check({.count = 100, .tail = 16, .shards = 8, .filled_shards = {batch}});
        check({.count = 100, .tail = 16, .shards = 8, .filled_shards = std::vector<int>(mine, 8)});
    }
    CHECK_THROWS_AS(OrderedRing(comm, 1000, mine), CommError);
    CHECK_THROWS_AS(ClassicRing(comm, 1000, mine), CommError);
}
