#pragma once

// A hop of an exchange, as faults on purpose know it: between any two of them this rank has sent
// something that others wait for, or has got something from them, that it had not before. They are
// counted within a step, through the meetings for batch statistics too.

#include <atomic>

#include "liveness/fault_point.hpp"
#include "liveness/pulse.hpp"

namespace lockstep::trainer {

inline void pass_hop() {
    liveness::fault_point("exchange.hop",
                          liveness::own_pulse().step.load(std::memory_order_relaxed));
}

}  // namespace lockstep::trainer
