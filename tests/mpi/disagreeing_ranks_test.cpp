// What takes two ranks at least: that they were made for different sizes.
#include "tests/support/catch.hpp"
#include "trainer/exchange/classic_ring.hpp"
#include "trainer/exchange/communicator.hpp"
#include "trainer/exchange/exchange.hpp"
#include "trainer/exchange/ordered_ring.hpp"
#include "trainer/exchange/shared_window.hpp"

using namespace lockstep::trainer;

TEST_CASE("ranks that disagree about a size are told so, every one") {
    const Communicator comm(MPI_COMM_WORLD);
    REQUIRE(comm.size() > 1);  // the same on every rank
    const std::size_t mine = comm.is_root() ? 100 : 101;
    CHECK_THROWS_AS(make_exchange(ExchangeKind::ordered, comm, mine), CommError);
    CHECK_THROWS_AS(make_exchange(ExchangeKind::ring, comm, mine), CommError);
    CHECK_THROWS_AS(make_exchange(ExchangeKind::mpi, comm, mine), CommError);
    CHECK_THROWS_AS(OrderedRing(comm, 1000, mine), CommError);
    CHECK_THROWS_AS(SharedWindow::make(comm, 1000, mine), CommError);
    CHECK_THROWS_AS(ClassicRing(comm, 1000, mine), CommError);
}
