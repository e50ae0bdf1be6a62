#pragma once

// Evaluation in inference mode, spread over ranks.
//
// Samples are cut into slices of a fixed size; each slice is one call whatever rank makes it, and
// the slices' sums are added in their order. So the figures do not depend on the ranks.

#include <memory>
#include <optional>
#include <vector>

#include "trainer/data/dataset.hpp"
#include "trainer/evaluate.hpp"
#include "trainer/network/network.hpp"
#include "trainer/network/step_plan.hpp"
#include "trainer/optimizers/weight_sums.hpp"

namespace lockstep::trainer {

class Evaluator {
public:
    // All must outlive the evaluator.
    Evaluator(const RunConfig& config, const RunData& data, Network& network,
              const Communicator& comm, BufferPool& pool);

    // Loss and accuracy over `samples`, each evaluated exactly once. Collective.
    Metrics metrics(const SampleSet& samples);
    // With the probabilities of all samples, on rank 0. Collective.
    Evaluation evaluate(const SampleSet& samples);

private:
    StepPlan& plan_of(int samples);
    // Runs the rank's slices; fills [own slices][loss, correct] and, if wanted, probabilities.
    std::vector<double> run_slices(const SampleSet& samples, std::vector<double>* probabilities);
    // The mean loss with what regularizers add to it.
    Metrics sum_of_slices(const SampleSet& samples, const std::vector<double>& own);

    const RunConfig& config_;
    const RunData& data_;
    Network& network_;
    const Communicator& comm_;
    BufferPool& pool_;
    std::optional<Penalty> penalty_;  // where layers have regularizers
    StepClocks clocks_;
    std::vector<std::unique_ptr<StepPlan>> plans_;  // by size, as they come up
};

}  // namespace lockstep::trainer
