#include "trainer/exchange/exchange.hpp"

#include <stdexcept>
#include <utility>

#include "trainer/config/out_of_memory.hpp"
#include "trainer/exchange/classic_ring.hpp"
#include "trainer/exchange/exchange_checks.hpp"
#include "trainer/exchange/mpi_allreduce.hpp"
#include "trainer/exchange/replicated_exchange.hpp"
#include "trainer/exchange/tree_exchange.hpp"

namespace lockstep::trainer {
namespace {

template <class Algorithm>
std::unique_ptr<Exchange> replicated(const Communicator& comm, const ExchangeSetting& setting) {
    require_equal_on_all_ranks(comm, setting);
    auto allreduce = std::make_unique<Algorithm>(comm, setting.count + setting.tail);
    return in_memory_for(
        "the weights, a gradient and the sum of all",
        (setting.has_directions ? 4 : 3) * (setting.count + setting.tail) * sizeof(float),
        [&] { return std::make_unique<ReplicatedExchange>(comm, setting, std::move(allreduce)); });
}

}  // namespace

void Exchange::form(const std::vector<FormedRange>& ranges) {
    if (!ranges.empty()) throw std::logic_error("ranks that share no memory form no gradients");
}

std::unique_ptr<Exchange> make_exchange(ExchangeKind kind, const Communicator& comm,
                                        const ExchangeSetting& setting) {
    switch (kind) {
        case ExchangeKind::ordered:
            return std::make_unique<TreeExchange>(comm, setting);
        case ExchangeKind::ring:
            return replicated<ClassicRing>(comm, setting);
        case ExchangeKind::mpi:
            return replicated<MpiAllreduce>(comm, setting);
    }
    throw std::invalid_argument("unknown kind of exchange");
}

}  // namespace lockstep::trainer
