#pragma once

// What `bench step` measured, as tables (benchmarks/README.md tells the columns).

#include <string>
#include <vector>

#include "pipeline/planning/step_cost.hpp"
#include "reports/tables/table_text.hpp"
#include "storage/records/records.hpp"
#include "trainer/benchmark/scaling_benchmark.hpp"
#include "trainer/benchmark/step_benchmark.hpp"

namespace lockstep::pipeline {

struct BenchedRun {
    std::string name;
    int ranks = 1;  // on one node
    int shards = 1;
    double gradient_bytes = 0.0;
    trainer::StepBenchmark step;
    trainer::ScalingBenchmark scaling;
};

struct NetworkFigures {  // between nodes
    double latency_seconds = 0.0;
    double bytes_per_second = 0.0;
};

// The model's figures, fitted to what was measured: the time of the passes to the smaller batches
// of one rank, where there are any, so that the whole batch and more ranks are predictions.
StepCost cost_of(const BenchedRun& run, const NetworkFigures& network);

storage::Table steps_table(const std::vector<BenchedRun>& runs);
storage::Table layers_table(const std::vector<BenchedRun>& runs);
storage::Table scaling_table(const std::vector<BenchedRun>& runs, const NetworkFigures& network);

}  // namespace lockstep::pipeline
