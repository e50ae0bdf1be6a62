#pragma once

// Which layer gave the first NaN or infinity of a step, found after the fact: the plan still has
// the step's samples, and the weights are those before the update, so one more forward pass makes
// the same values again, and this time each is looked at.

#include <string>

#include "trainer/exchange/communicator.hpp"
#include "trainer/network/network.hpp"
#include "trainer/network/step_plan.hpp"

namespace lockstep::trainer {

// "the output of dense_1 was the first that held a NaN or an infinity (on rank 2)", of all ranks'
// samples, and which of the weights did, if any. A ReLU that a layer computes along may hide its
// NaN. The same words on every rank. Collective: every rank has run a step of `plan`, and calls
// this before anything of it changes.
std::string origin_of_non_finite(const Network& network, StepPlan& plan, const StepContext& context,
                                 const Communicator& comm);

}  // namespace lockstep::trainer
