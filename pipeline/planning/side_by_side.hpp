#pragma once

// Whether runs should go side by side: more of them at once, on fewer ranks each. An estimate from
// operations, parameters and shards alone; nothing is measured. `lockstep bench step` measures.

#include <cstddef>
#include <optional>
#include <string>

#include "pipeline/planning/plan.hpp"
#include "pipeline/planning/step_cost.hpp"

namespace lockstep::pipeline {

// The cost of a run's step on the ranks of one node, by figures that do not flatter small groups of
// ranks: a core that computes slowly hides what an exchange costs.
StepCost estimated_cost(const PlannedRun& planned);

struct SideBySide {
    int ranks_per_run = 1;  // of a group
    double gain = 1.0;      // time of all runs, each on all ranks, by their time side by side
};

// The best cut of so many ranks of one node into equal groups, when the longest runs are dealt out
// first. Nothing where one group, all ranks, is as good to within a twentieth, where a run says
// itself how many ranks it takes, or where a run has fewer shards than there are ranks.
std::optional<SideBySide> best_side_by_side(const Plan& plan, int ranks);

// A line for people; "" where there is nothing to say.
std::string side_by_side_note(const Plan& plan, int ranks);

}  // namespace lockstep::pipeline
