#pragma once

// What will be run: every run of an experiment in a fixed order, with its id and its estimates.

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/experiment/spec.hpp"
#include "pipeline/planning/effective_config.hpp"
#include "storage/records/records.hpp"

namespace lockstep::pipeline {

// What a run will see and cost. The counts of samples are those of the complete data set, classes
// taken as equally frequent; the data files themselves are not looked at.
struct RunEstimate {
    std::int64_t training_samples = 0;  // without those that validate
    std::int64_t validation_samples = 0;
    std::int64_t test_samples = 0;
    std::int64_t steps_per_epoch = 0;
    std::int64_t steps = 0;            // all epochs, were none stopped early
    double training_flops = 0.0;       // of all epochs, evaluation included
    std::int64_t memory_per_rank = 0;  // bytes, of the rank with the most shards
};

struct PlannedRun {
    std::string id;
    RunSpec run;
    EffectiveConfig effective;
    std::int64_t parameters = 0;
    std::int64_t trainable_parameters = 0;
    std::int64_t flops_per_image = 0;  // forward pass
    RunEstimate estimate;
    bool validates_on_test_set = false;
    bool selects_on_test_set = false;  // early stopping or a checkpoint watches a val_ figure of it
    bool lacks_initial_weights = false;  // their file cannot be read: training would be refused
    std::vector<std::string> warnings;   // of what can be trained; one line each, without its name
};

struct Plan {
    std::string experiment;
    std::string title;
    std::vector<PlannedRun> runs;
    std::vector<std::string> notes{};  // of the reader of the file, a line each
};

// Plans all runs for `ranks` ranks (they matter to the memory estimate only). A pure function.
// Throws SpecError where two runs would train the same under two names (unless their data lie in
// two folders, whose content is not known here).
Plan plan(ExperimentSpec spec, int ranks = 1);

// A row a run; numbers plain, with their units in the column's name.
storage::Table plan_table(const Plan& plan);

// What is to be said about the plan: a line each.
std::string plan_notes(const Plan& plan);

}  // namespace lockstep::pipeline
