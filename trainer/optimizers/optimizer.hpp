#pragma once

// The optimizer of a run: an update rule and the slots it keeps beside the weights, the gradients
// that wait for an update, and an average of the weights.
//
// In a step a rank updates the weights that are its own to update, and their slots with them. Slots
// are never exchanged in a step; Exchange::collect() completes them for a checkpoint.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "trainer/config/train_config.hpp"
#include "trainer/kernels/aligned_array.hpp"
#include "trainer/optimizers/gradient_accumulator.hpp"
#include "trainer/optimizers/update_rules.hpp"
#include "trainer/optimizers/weight_average.hpp"
#include "trainer/optimizers/weight_ranges.hpp"

namespace lockstep::trainer {

class Optimizer {
public:
    //   ranges    as weight_ranges() makes them
    //   average   for an average of the weights
    Optimizer(const OptimizerConfig& config, std::size_t weights,
              std::vector<WeightRange> ranges = {}, const AverageSetting& average = {});

    // Before the updates of a step, which counts from 0 over the whole run.
    void begin_step(double learning_rate, std::int64_t step);
    // Whether the step under way updates the weights, and whether it writes them at all.
    bool is_update() const { return is_update_; }
    bool writes_weights() const { return is_update_ || (average_ && average_->overwrites()); }
    const std::vector<WeightRange>& ranges() const { return ranges_; }
    // What weights from `first` on will be updated by, from the gradient of a step that is an
    // update. Called for all of them in ascending order or for none, before their update; asked
    // again it says the same.
    std::span<const float> whole_gradient(std::size_t first, std::span<const float> gradient);
    // By what all gradients of the step are multiplied, behind begin_step().
    void scale_gradients(double factor);
    // As long as the weights, for a rule that makes updates of whole tensors (muon.hpp): between
    // take_directions() of all weights and their update somebody makes them orthogonal.
    void use_directions(std::span<float> directions) { directions_ = directions; }
    // Of those weights from `first` on that take Muon, in a step that is an update.
    void take_directions(std::size_t first, std::span<const float> gradient,
                         std::span<const float> weights);
    // Updates weights first .. first + n - 1 and their slots, if the step is an update.
    //   gradient, weights   [n], those of them
    void update(std::size_t first, std::span<const float> gradient, std::span<float> weights);

    // Of the rates of all steps so far: ranks that update parts of the same weights must have used
    // the same, and each has computed them for itself.
    std::uint64_t rates_digest() const { return rates_digest_; }

    // Keras' names of the slots and their values, each as long as the weights; but for an average.
    std::vector<std::pair<std::string, std::span<float>>> slots();
    WeightAverage* average() { return average_ ? &*average_ : nullptr; }  // null: none is kept

private:
    void begin_update(double learning_rate, std::int64_t update);
    // Of weights in one range, or in none (null).
    void update_range(std::size_t first, std::span<const float> gradient, std::span<float> weights,
                      const WeightRange* range);
    WeightTerms terms_of(const WeightRange* range) const;
    void digest(float factor);

    OptimizerConfig config_;
    std::vector<WeightRange> ranges_;
    std::variant<SgdStep, AdamStep, RmspropStep, LionStep, AdagradStep, NadamStep, MuonStep>
        step_;  // the one under way
    std::int64_t step_number_ = 0;
    float decay_ = 0.0F;       // of that step
    float adam_decay_ = 0.0F;  // of Muon's, where AdamW is taken
    float gradient_scale_ = 1.0F;
    std::uint64_t rates_digest_ = 0;
    AlignedArray<float> first_;   // momentum: SGD's, m of Adam's kin, Lion, Muon; RMSprop's moves
    AlignedArray<float> second_;  // velocity: v of Adam's kin and RMSprop; Adagrad's accumulator
    std::optional<GradientAccumulator> accumulator_;  // where not every step is an update
    std::optional<WeightAverage> average_;
    bool is_update_ = true;
    std::size_t whole_until_ = 0;  // by whole_gradient(); 0: it was not called in this step
    std::span<float> directions_;
};

// The learning rate of a step.
//   base   the optimizer's, or what a plateau has left of it
//   step   from 0, over the whole run
double learning_rate_at(double base, const ScheduleConfig& schedule, std::int64_t step,
                        std::int64_t steps_per_epoch);

}  // namespace lockstep::trainer
