#pragma once

// Evaluation in inference mode, spread over ranks.
//
// Samples are cut into slices of a fixed size; each slice is one call whatever rank makes it, and
// the slices' sums are added in their order. So the figures do not depend on the ranks.

#include <memory>
#include <optional>
#include <vector>

#include "trainer/augmentation/test_views.hpp"
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

    // Loss and accuracy over `samples`, each evaluated exactly once, as it is. Collective.
    Metrics metrics(const SampleSet& samples);
    // With the probabilities of all samples, on rank 0. Collective.
    //   views   what is evaluated: the mean over them of a sample's logits
    Evaluation evaluate(const SampleSet& samples, TestViews views);

private:
    StepPlan& plan_of(int samples);
    // The logits of some samples; valid until the next call.
    std::span<const float> logits_of(const SampleSet& samples, std::span<const std::uint32_t> which,
                                     StepPlan& plan, std::span<const View> views);
    // Runs the rank's slices; fills [own slices][kSums] and, if wanted, probabilities.
    std::vector<double> run_slices(const SampleSet& samples, TestViews views,
                                   std::vector<double>* probabilities);
    // The mean loss with what regularizers add to it.
    Metrics sum_of_slices(const SampleSet& samples, const std::vector<double>& own);

    const RunConfig& config_;
    const RunData& data_;
    Network& network_;
    const Communicator& comm_;
    BufferPool& pool_;
    std::optional<Penalty> penalty_;  // where layers have regularizers
    ViewInput view_input_;
    std::vector<double> mean_logits_;  // [samples of a slice, classes], of several views
    std::vector<float> shown_logits_;  // them, in float32
    StepClocks clocks_;
    std::vector<std::unique_ptr<StepPlan>> plans_;  // by size, as they come up
};

}  // namespace lockstep::trainer
