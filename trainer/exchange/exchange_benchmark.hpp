#pragma once

// How fast the exchanges are on the ranks of a communicator.

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "trainer/exchange/communicator.hpp"
#include "trainer/exchange/exchange.hpp"

namespace lockstep::trainer {

struct ExchangeBenchmarkConfig {
    std::vector<std::size_t> counts;  // floats of the gradient; each is measured
    int rounds = 200;                 // >= 1; in each, every contender runs once
    int shards = 8;                   // >= 1, over all ranks
    // Makes what updates the weights, [count], in a step: an optimizer with slots of its own.
    std::function<SliceUpdate(std::span<float> weights)> make_update;
};

// One contender at one count. A time is the mean over the ranks.
struct ExchangeTiming {
    std::string exchange;
    std::size_t count = 0;
    double best_seconds = 0.0;
    double median_seconds = 0.0;
    double ratio_to_mpi = 0.0;  // median over the rounds of its time by that of `mpi`
};

struct ExchangeBenchmark {
    std::vector<ExchangeTiming> timings;  // by count, then by contender; the same on every rank
    bool ordered_is_exact = true;         // bits of a plain tree over the shards, on every rank
};

// Measures these contenders, taking turns in one process: each from the ranks' gradients, summed
// over their own subtrees, to updated weights on every rank.
//   ordered            the default: in shared memory where the ranks of a node have it in common
//   ordered messages   the same by messages alone, as between nodes of one rank each
//   ordered ring       a ring that adds in the order of the ranks; then every rank updates
//   ring, mpi          likewise; mpi is MPI_Allreduce
// The gradients are written anew before each turn, as a backward pass does, so that none finds them
// in a warmer cache than another.
// Collective. Throws CommError.
ExchangeBenchmark benchmark_exchanges(const ExchangeBenchmarkConfig& config,
                                      const Communicator& comm);

}  // namespace lockstep::trainer
