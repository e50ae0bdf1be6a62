#pragma once

// One training step, start to end: the page that fixes the bits.
//
//   gather    the rank's own samples of the batch, augmented, as scaled float32
//   forward   and loss, per sample or per shard, or from sums over all shards in their order
//   backward  a gradient for each subtree of the own shards (shard_tree.hpp)
//   sum       of all ranks' subtrees: the only place where ranks meet, beside the batch statistics
//   update    each weight by one rank, from the sum, and known to all; moving statistics by all
//
// Behind a gradient stand its shard's loss, correct answers and samples, and wishes. They are
// summed before anything is updated: so metrics are exact, and all ranks see a NaN, stop or make a
// snapshot at the same step.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "trainer/augmentation/augmentation.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/exchange/exchange.hpp"
#include "trainer/factored_gradients.hpp"
#include "trainer/kernels/softmax.hpp"
#include "trainer/network/network.hpp"
#include "trainer/network/step_plan.hpp"
#include "trainer/optimizers/muon.hpp"
#include "trainer/optimizers/optimizer.hpp"
#include "trainer/optimizers/weight_sums.hpp"

namespace lockstep::trainer {

// What a rank asks of all; every rank learns it in the same step.
struct Wishes {
    bool stop = false;
    bool snapshot = false;  // of the state after the step
};

struct StepResult {
    double loss_sum = 0.0;  // over the batch
    std::int64_t correct = 0;
    std::int64_t count = 0;
    Wishes wishes;  // of some rank; with one to stop all parameters are as before the step
};

class TrainingStep {
public:
    // Makes the plans of the full and of the short last batch, and moves the trainable parameters
    // to the exchange's memory: the network must not compute any more when the step is gone. Plans
    // of the network are made behind it. All that is passed must outlive the step. Collective.
    TrainingStep(const RunConfig& config, const RunData& data, Network& network,
                 const Communicator& comm, BufferPool& pool);

    // Trains on the batch of `samples` (numbers into data.training). Collective.
    //   step   from 0, over the whole run
    // Throws NonFiniteLoss, before the update, on every rank alike.
    StepResult run(std::span<const std::uint32_t> samples, int epoch, std::int64_t step,
                   const Wishes& wishes);

    std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
    double learning_rate(std::int64_t step) const;
    // What schedule and warm-up are factors of, from now on, in place of the optimizer's.
    void set_base_learning_rate(double rate) { base_learning_rate_ = rate; }
    Optimizer& optimizer() { return optimizer_; }
    // The average, where one is kept, begins as the weights: every rank has them.
    void begin_average();
    // Completes slots and average, of which a rank keeps its part up to date. Collective.
    void collect_slots();
    // Puts the average, which is complete, in the weights' place, or back. Nothing where none is
    // kept. Collective.
    void swap_average();
    const StepClocks& clocks() const { return clocks_; }
    // To be measured: the plan of the full batch, and the update of its last step once more.
    // Collective.
    StepPlan& plan() { return *full_.plan; }
    void update_again(std::int64_t step) { update(full_, step); }

private:
    struct SubtreeTail {       // of own shards
        std::span<float> sum;  // the exchange's, behind the subtree's gradient
        std::vector<const float*> shards;
        std::vector<int> additions;
    };
    struct Batch {  // a size of batch
        std::unique_ptr<StepPlan> plan;
        int filled_shards = 0;  // over all ranks
        std::vector<SubtreeTail> tails;
        std::vector<SampleRange> all_shards;  // of the batch, over all ranks
    };
    Batch make_batch(int size, const Communicator& comm, BufferPool& pool);
    float* tail_of(int own_shard);
    Batch& batch_of(std::size_t samples);
    void gather(StepPlan& plan, std::span<const std::uint32_t> samples, int epoch);
    void write_losses(Batch& batch, const Wishes& wishes);
    std::span<const float> sum_tails(const Batch& batch);
    double update(const Batch& batch, std::int64_t step);
    void clip_gradients(double most, std::int64_t step);
    void orthogonalize(std::int64_t step);

    const RunConfig& config_;
    const RunData& data_;
    Network& network_;
    Augmentation augmentation_;
    const Communicator& comm_;
    std::int64_t steps_per_epoch_;
    double base_learning_rate_;
    StepClocks clocks_;
    FactoredGradients factored_;
    std::size_t gradient_size_;  // floats, without the tail
    std::vector<Label> labels_;  // [own samples]
    // Beside labels_ where images are mixed, else empty: with which sample, and its label.
    std::vector<Mix> mixes_;
    std::vector<SecondLabel> second_labels_;
    std::vector<double> class_weights_;  // [classes], or empty
    std::vector<MuonTensor> matrices_;   // that take Muon
    std::unique_ptr<Exchange> exchange_;
    AlignedArray<float> tails_;  // [own shards][tail]
    Optimizer optimizer_;
    std::optional<Penalty> penalty_;    // where layers have regularizers
    std::optional<GradientNorm> norm_;  // where gradients are clipped
    std::optional<Muon> muon_;          // where there are matrices_
    Batch full_, last_;
};

}  // namespace lockstep::trainer
