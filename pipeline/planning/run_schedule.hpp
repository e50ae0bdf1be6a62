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

// Runs that train at the same time, on groups of ranks that each take the next one as they become
// free.
struct Phase {
    int ranks_per_run = 1;
    int groups = 1;                 // no more than runs
    std::vector<std::size_t> runs;  // places in the plan, in the order they are taken
};
// Cuts `runs` (places in the plan, to be trained) into phases, one for each ranks_per_run. Where
// there are several groups the longest runs, by estimated operations, come first: none of them then
// begins when the others are done. A single group keeps the plan's order. A pure function.
std::vector<Phase> phases(const Plan& plan, const std::vector<std::size_t>& runs, int ranks);

}  // namespace lockstep::pipeline
