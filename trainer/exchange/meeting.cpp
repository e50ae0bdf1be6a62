#include "trainer/exchange/meeting.hpp"

#include "trainer/exchange/hop.hpp"

namespace lockstep::trainer {

void Meeting::meet() {
    if (counters_.size() <= 1) return;
    ++meetings_;
    pass_hop();
    counters_[rank_].raise();
    pass_hop();
    Patience patience(comm_);
    for (SharedCounter& counter : counters_)
        while (!counter.has_reached(meetings_)) patience.wait_a_moment_for(counter, meetings_);
    pass_hop();
}

}  // namespace lockstep::trainer
