#include "trainer/exchange/meeting.hpp"

namespace lockstep::trainer {

void Meeting::meet() {
    if (counters_.size() <= 1) return;
    ++meetings_;
    counters_[rank_].raise();
    Patience patience(comm_);
    for (SharedCounter& counter : counters_)
        while (!counter.has_reached(meetings_)) patience.wait_a_moment_for(counter, meetings_);
}

}  // namespace lockstep::trainer
