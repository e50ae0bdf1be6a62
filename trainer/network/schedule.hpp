#pragma once

// The order of work: pieces of extent `shard` that follow each other form a run, which goes shard
// by shard (docs/plan.md).

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "trainer/layers/work.hpp"

namespace lockstep::trainer {

// A piece of work and whose it is.
struct PlannedWork {
    std::size_t node = 0;
    bool is_backward = false;
    Work work{};
    std::size_t run = 0;  // out of assign_runs()
};

// Numbers the runs, from `first` on; returns the number behind the last.
std::size_t assign_runs(std::span<PlannedWork> works, std::size_t first);

// One call of a plan.
struct PlannedStep {
    const PlannedWork* work = nullptr;
    std::size_t shard = 0;
};

// All calls in their order. `works` must outlive them.
std::vector<PlannedStep> flatten_runs(std::span<const PlannedWork> works, std::size_t shards);

// Puts a copy of repeatable forward work in front of the first backward work that reads what it
// writes, so that this need not be kept.
void repeat_cheap_work(std::span<const PlannedWork> forward, std::vector<PlannedWork>& backward);

}  // namespace lockstep::trainer
