#include "trainer/training_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "trainer/config/errors.hpp"
#include "trainer/config/limits.hpp"
#include "trainer/data/batch_input.hpp"
#include "trainer/determinism/shards.hpp"
#include "trainer/kernels/softmax.hpp"

namespace lockstep::trainer {

namespace {

// What travels behind the gradients of a shard. Counts are exact in float32 up to
// kMostSamplesOfBatch, which the constructor sees to.
enum Tail : std::size_t { kLoss, kCorrect, kCount, kStop, kTailSize = kAlignedFloats };

std::int64_t steps_in(const RunConfig& config, const RunData& data) {
    const std::int64_t batch = config.train.batch_size;
    const std::int64_t all = (data.training.count() + batch - 1) / batch;
    return std::min(all, config.train.steps_per_epoch.value_or(all));
}

}  // namespace

TrainingStep::TrainingStep(const RunConfig& config, const RunData& data, Network& network,
                           const Communicator& comm, BufferPool& pool)
    : config_(config),
      data_(data),
      network_(network),
      steps_per_epoch_(steps_in(config, data)),
      gradient_size_(network.parameters().trainable().size()),
      sum_(gradient_size_ + kTailSize),
      exchange_(make_exchange(config.parallel.exchange, comm, sum_.size())),
      optimizer_(config.train.optimizer, gradient_size_) {
    if (config.train.batch_size > kMostSamplesOfBatch)
        throw std::length_error(fmt::format("a batch has at most {} samples, not {}",
                                            kMostSamplesOfBatch, config.train.batch_size));
    const int own = shards_of_rank(config.parallel.shards, comm.size(), comm.rank()).count;
    for (int shard = 0; shard < own; ++shard) gradients_.emplace_back(sum_.size());
    const auto batch = std::min<std::int64_t>(config.train.batch_size, data.training.count());
    full_ = make_batch(static_cast<int>(batch), comm, pool);
    const std::int64_t rest = data.training.count() % batch;
    if (rest != 0) last_ = make_batch(static_cast<int>(rest), comm, pool);
    labels_.resize(static_cast<std::size_t>(full_.plan->geometry().samples));
}

TrainingStep::Batch TrainingStep::make_batch(int size, const Communicator& comm, BufferPool& pool) {
    PlanSetting setting;
    const int shards = config_.parallel.shards;
    setting.geometry = batch_geometry(size, shards, comm.size(), comm.rank());
    setting.filled_shards = filled_shards_by_rank(size, shards, comm.size());
    setting.seed = config_.train.seed;
    setting.is_training = true;
    Batch batch;
    for (std::size_t i = 0; i < setting.geometry.shards.size(); ++i) {
        setting.subtrees.push_back({{static_cast<int>(i), 1}, gradients_[i].data()});
        batch.own_shards.emplace_back(gradients_[i].span());
    }
    if (batch.own_shards.empty()) {  // zeros change no sum, but carry a wish to stop
        if (idle_.size() == 0) idle_ = AlignedArray<float>(sum_.size());
        batch.own_shards.emplace_back(idle_.span());
    }
    batch.plan = std::make_unique<StepPlan>(network_, std::move(setting), comm, clocks_, pool);
    return batch;
}

TrainingStep::Batch& TrainingStep::batch_of(std::size_t samples) {
    return samples == static_cast<std::size_t>(full_.plan->geometry().batch) ? full_ : last_;
}

StepResult TrainingStep::run(std::span<const std::uint32_t> samples, int epoch, std::int64_t step,
                             bool wants_stop) {
    Batch& batch = batch_of(samples.size());
    StepPlan& plan = *batch.plan;
    gather(plan, samples);
    plan.forward({step});
    write_losses(plan, wants_stop);
    plan.backward();
    {
        const auto scope = clocks_.exchange.measure();
        exchange_->sum_shards(batch.own_shards, sum_.span());
    }
    const StepResult result = result_of_sum(epoch, step);
    if (result.stop_requested) return result;
    plan.commit();
    optimizer_.update(sum_.span().first(gradient_size_), learning_rate(step), step,
                      network_.parameters().trainable());
    return result;
}

void TrainingStep::gather(StepPlan& plan, std::span<const std::uint32_t> samples) {
    const auto scope = clocks_.data.measure();
    const BatchGeometry& geometry = plan.geometry();
    const auto own = samples.subspan(static_cast<std::size_t>(geometry.first_sample),
                                     static_cast<std::size_t>(geometry.samples));
    write_input(data_.training, own, data_.scale, network_.input(), plan.input());
    for (std::size_t n = 0; n < own.size(); ++n) labels_[n] = data_.training.labels[own[n]];
}

void TrainingStep::write_losses(StepPlan& plan, bool wants_stop) {
    const BatchGeometry& geometry = plan.geometry();
    const auto classes = static_cast<std::size_t>(network_.classes());
    for (std::size_t i = 0; i < geometry.shards.size(); ++i) {
        const auto first = static_cast<std::size_t>(geometry.shards[i].first);
        const auto count = static_cast<std::size_t>(geometry.shards[i].count);
        const LossSum sum = softmax_cross_entropy(
            plan.logits().subspan(first * classes, count * classes),
            std::span(labels_).subspan(first, count), network_.classes(), geometry.batch,
            plan.diff_logits().subspan(first * classes, count * classes));
        float* tail = gradients_[i].data() + gradient_size_;
        tail[kLoss] = static_cast<float>(sum.loss);
        tail[kCorrect] = static_cast<float>(sum.correct);
        tail[kCount] = static_cast<float>(count);
        tail[kStop] = wants_stop ? 1.0F : 0.0F;
    }
    if (geometry.shards.empty()) idle_[gradient_size_ + kStop] = wants_stop ? 1.0F : 0.0F;
}

StepResult TrainingStep::result_of_sum(int epoch, std::int64_t step) const {
    const float* tail = sum_.data() + gradient_size_;
    if (!std::isfinite(tail[kLoss]))
        throw NonFiniteLoss(epoch, step, static_cast<double>(tail[kLoss]));
    return {.loss_sum = static_cast<double>(tail[kLoss]),
            .correct = std::llround(tail[kCorrect]),
            .count = std::llround(tail[kCount]),
            .stop_requested = tail[kStop] != 0.0F};
}

double TrainingStep::learning_rate(std::int64_t step) const {
    return learning_rate_at(config_.train.optimizer, config_.train.schedule, step,
                            steps_per_epoch_);
}

}  // namespace lockstep::trainer
