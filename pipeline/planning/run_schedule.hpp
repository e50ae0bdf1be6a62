#pragma once

// Which ranks train which runs of a plan, and when. Pure functions.

#include <cstddef>
#include <vector>

#include "pipeline/planning/plan.hpp"

namespace lockstep::pipeline {

// Throws Failure (kExitBadSpec) if a run would get more ranks than it has shards.
void check_ranks(const Plan& plan, int ranks);

// Ranks that a plan can use on so many cores: no run gets more than its shards.
int usable_ranks(const Plan& plan, int cores);

// Runs that train at the same time: the groups of ranks, and for each the runs it trains, as
// places in the plan.
struct Phase {
    int ranks_per_run = 1;
    std::vector<std::vector<std::size_t>> groups;
};
// Cuts `runs` (places in the plan, to be trained) into phases, one for each ranks_per_run. Within a
// phase the longest runs, by estimated operations, are dealt first, each to the group with the
// least to do; a single group keeps the plan's order. A pure function.
std::vector<Phase> phases(const Plan& plan, const std::vector<std::size_t>& runs, int ranks);

}  // namespace lockstep::pipeline
