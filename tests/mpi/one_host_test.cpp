// The ranks of these tests are on one host: `ordered`, the default, must sum in shared memory, or
// everything else that this program finds right would be right of another exchange.
#include "tests/support/catch.hpp"
#include "trainer/exchange/exchange.hpp"
#include "trainer/exchange/shared_window.hpp"

using namespace lockstep::trainer;

TEST_CASE("ordered sums in shared memory where all ranks are on one host", "[trainer][mpi]") {
    const Communicator comm(MPI_COMM_WORLD);
    const auto exchange = make_exchange(ExchangeKind::ordered, comm, 1000);
    const bool is_shared = dynamic_cast<const SharedWindow*>(exchange.get()) != nullptr;
    CHECK(is_shared == (comm.size() > 1));  // one rank has nobody to share with
    CHECK(SharedWindow::make(comm, 1000) != nullptr);
}
