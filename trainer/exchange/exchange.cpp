#include "trainer/exchange/exchange.hpp"

#include <stdexcept>

#include "trainer/exchange/classic_ring.hpp"
#include "trainer/exchange/mpi_allreduce.hpp"
#include "trainer/exchange/ordered_ring.hpp"
#include "trainer/exchange/shared_window.hpp"

namespace lockstep::trainer {
namespace {

// Through shared memory where the ranks have it in common, by messages elsewhere: the same bits.
std::unique_ptr<Exchange> make_ordered(const Communicator& comm, std::size_t count) {
    if (comm.size() > 1) {
        auto window = SharedWindow::make(comm, count);
        if (window) return window;
    }
    return std::make_unique<OrderedRing>(comm, count);
}

}  // namespace

std::unique_ptr<Exchange> make_exchange(ExchangeKind kind, const Communicator& comm,
                                        std::size_t count) {
    switch (kind) {
        case ExchangeKind::ordered:
            return make_ordered(comm, count);
        case ExchangeKind::ring:
            return std::make_unique<ClassicRing>(comm, count);
        case ExchangeKind::mpi:
            return std::make_unique<MpiAllreduce>(comm, count);
    }
    throw std::invalid_argument("unknown kind of exchange");
}

}  // namespace lockstep::trainer
