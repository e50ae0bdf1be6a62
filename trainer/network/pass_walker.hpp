#pragma once

#include <span>

#include "trainer/layers/work.hpp"
#include "trainer/network/schedule.hpp"

namespace lockstep::trainer {

// Walks a pass in the plan's stead, to measure it (`bench step`): it makes every call, in their
// order, and may make one more than once.
class PassWalker {
public:
    virtual ~PassWalker() = default;
    virtual void walk(std::span<const PlannedStep> calls, const StepContext& context) = 0;
};

}  // namespace lockstep::trainer
