#pragma once

// How fast the exchanges are on the ranks of a communicator.

#include <cstddef>
#include <string>
#include <vector>

#include "trainer/exchange/communicator.hpp"

namespace lockstep::trainer {

struct ExchangeBenchmarkConfig {
    std::vector<std::size_t> counts;  // elements of the gradient; each is measured
    int rounds = 200;                 // >= 1; in each, every contender runs once
    int shards = 8;                   // >= 1, over all ranks; each rank adds up its own
};

// One contender at one count. A time is that of the slowest rank.
struct ExchangeTiming {
    std::string exchange;
    std::size_t count = 0;
    double best_seconds = 0.0;
    double median_seconds = 0.0;
    double ratio_to_mpi = 0.0;  // median over the rounds of its time by that of `mpi`
};

struct ExchangeBenchmark {
    std::vector<ExchangeTiming> timings;  // by count, then by contender; the same on every rank
    bool ordered_is_exact = true;         // bits of the serial sum, on every rank in every round
};

// Measures these contenders, taking turns in one process:
//   ordered            the factory's: through shared memory where the ranks have it in common
//   ordered messages   the ordered ring by messages, as between nodes
//   ring, mpi          the factory's
//   MPI_Allreduce      the bare call on one buffer a rank; the others also add up own shards
// The gradients are written anew before each turn, as a backward pass does, so that none finds them
// or the sum in a warmer cache than another.
// Collective. Throws CommError.
ExchangeBenchmark benchmark_exchanges(const ExchangeBenchmarkConfig& config,
                                      const Communicator& comm);

}  // namespace lockstep::trainer
