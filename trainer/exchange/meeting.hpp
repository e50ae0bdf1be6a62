#pragma once

// Where ranks that share memory wait for one another: a barrier. It does not know how they came to
// share it (node_memory.hpp: processes of one node; tests: threads of one process).

#include <cstdint>
#include <span>

#include "trainer/exchange/patience.hpp"
#include "trainer/exchange/shared_counter.hpp"

namespace lockstep::trainer {

// One rank's view of it. A rank tells its arrival by its own counter and looks at those of the
// others: with the few ranks of a node no tree of messages is faster.
class Meeting {
public:
    // counters: [ranks], at zero, the same for all ranks; may be empty for one rank.
    // comm: whose messages go on while a rank waits; null without MPI.
    Meeting(std::span<SharedCounter> counters, int rank, const Communicator* comm)
        : counters_(counters), rank_(static_cast<std::size_t>(rank)), comm_(comm) {}

    // Collective: returns when every rank has come. What a rank wrote before is visible to all.
    void meet();

private:
    std::span<SharedCounter> counters_;
    std::size_t rank_;
    const Communicator* comm_;
    std::uint32_t meetings_ = 0;
};

}  // namespace lockstep::trainer
