#include "trainer/training_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "liveness/fault_point.hpp"
#include "liveness/pulse.hpp"
#include "trainer/augmentation/augmented_input.hpp"
#include "trainer/class_weights.hpp"
#include "trainer/config/errors.hpp"
#include "trainer/config/limits.hpp"
#include "trainer/data/batch_input.hpp"
#include "trainer/determinism/shard_tree.hpp"
#include "trainer/determinism/shards.hpp"
#include "trainer/exchange/tree_sum.hpp"
#include "trainer/network/non_finite_search.hpp"

namespace lockstep::trainer {

using liveness::fault_point;
using liveness::note;
using liveness::Phase;

namespace {

// What travels behind the gradients of a shard. Counts are exact in float32 up to
// kMostSamplesOfBatch, which the constructor sees to.
enum Tail : std::size_t { kLoss, kCorrect, kCount, kStop, kSnapshot, kTailSize = kAlignedFloats };

std::int64_t steps_in(const RunConfig& config, const RunData& data) {
    const std::int64_t batch = config.train.batch_size;
    const std::int64_t all = (data.training.count() + batch - 1) / batch;
    return std::min(all, config.train.steps_per_epoch.value_or(all));
}

int full_batch(const RunConfig& config, const RunData& data) {
    return static_cast<int>(std::min<std::int64_t>(config.train.batch_size, data.training.count()));
}

// 0, if the batch divides the data.
int last_batch(const RunConfig& config, const RunData& data) {
    return static_cast<int>(data.training.count() % full_batch(config, data));
}

int shards_of(const RunConfig& config, const RunData& data) {
    return shards_of_batch(full_batch(config, data), config.parallel.shards);
}

int filled_shards(int batch, const RunConfig& config, const RunData& data) {
    return std::min(batch, shards_of(config, data));
}

ExchangeSetting exchange_setting(const RunConfig& config, const RunData& data,
                                 std::size_t gradient_size, std::size_t factors,
                                 bool has_matrices) {
    ExchangeSetting setting{.count = gradient_size,
                            .tail = kTailSize,
                            .shards = shards_of(config, data),
                            .filled_shards = {},
                            .factors = factors,
                            .keeps_sums = config.train.optimizer.global_clipnorm || has_matrices,
                            .has_directions = has_matrices};
    for (const int batch : {full_batch(config, data), last_batch(config, data)})
        if (batch > 0) setting.filled_shards.push_back(filled_shards(batch, config, data));
    return setting;
}

StepResult result_of(std::span<const float> tail) {
    return {.loss_sum = static_cast<double>(tail[kLoss]),
            .correct = std::llround(tail[kCorrect]),
            .count = std::llround(tail[kCount]),
            .wishes = {.stop = tail[kStop] != 0.0F, .snapshot = tail[kSnapshot] != 0.0F}};
}

void put_wishes(const Wishes& wishes, std::span<float> tail) {
    tail[kStop] = wishes.stop ? 1.0F : 0.0F;
    tail[kSnapshot] = wishes.snapshot ? 1.0F : 0.0F;
}

}  // namespace

TrainingStep::TrainingStep(const RunConfig& config, const RunData& data, Network& network,
                           const Communicator& comm, BufferPool& pool)
    : config_(config),
      data_(data),
      network_(network),
      augmentation_(config.data.augmentation, data.shape, config.train.seed),
      comm_(comm),
      steps_per_epoch_(steps_in(config, data)),
      base_learning_rate_(config.train.optimizer.learning_rate),
      factored_(network, full_batch(config, data)),
      gradient_size_(network.parameters().trainable().size()),
      class_weights_(
          class_weights(config.train.class_weights, data.training.labels, network.classes())),
      matrices_(muon_tensors(config.train.optimizer, config.layers, network.parameters(),
                             steps_per_epoch_)),
      exchange_(make_exchange(
          config.parallel.exchange, comm,
          exchange_setting(config, data, gradient_size_, factored_.floats(), !matrices_.empty()))),
      tails_(kTailSize *
             static_cast<std::size_t>(
                 shards_of_rank(shards_of(config, data), comm.size(), comm.rank()).count)),
      optimizer_(config.train.optimizer, gradient_size_,
                 weight_ranges(config.train.optimizer, config.layers, network.parameters(),
                               steps_per_epoch_),
                 {.constants = network.parameters().constants().size(),
                  .steps_per_epoch = steps_per_epoch_}) {
    if (config.train.batch_size > kMostSamplesOfBatch)
        throw std::length_error(fmt::format("a batch has at most {} samples, not {}",
                                            kMostSamplesOfBatch, config.train.batch_size));
    const std::vector<WeightRange>& ranges = optimizer_.ranges();
    if (has_l2(ranges)) penalty_.emplace(ranges, gradient_size_, comm.size());
    if (config.train.optimizer.global_clipnorm) norm_.emplace(ranges, gradient_size_, comm.size());
    if (const auto* muon = std::get_if<MuonConfig>(&config.train.optimizer.rule);
        muon != nullptr && !matrices_.empty())
        muon_.emplace(*muon, matrices_, network.parameters(), comm.rank(), comm.size());
    optimizer_.use_directions(exchange_->directions());
    network.parameters().move_trainable_to(exchange_->weights());
    comm.barrier();  // every rank has written its copy before one of them goes on
    exchange_->form(factored_.ranges(exchange_->factors()));
    full_ = make_batch(full_batch(config, data), comm, pool);
    if (last_batch(config, data) > 0) last_ = make_batch(last_batch(config, data), comm, pool);
    labels_.resize(static_cast<std::size_t>(full_.plan->geometry().samples));
    if (!augmentation_.mixes()) return;
    mixes_.resize(labels_.size());
    second_labels_.resize(labels_.size());
}

TrainingStep::Batch TrainingStep::make_batch(int size, const Communicator& comm, BufferPool& pool) {
    PlanSetting setting;
    const int shards = shards_of(config_, data_);
    setting.geometry = batch_geometry(size, shards, comm.size(), comm.rank());
    setting.filled_shards = filled_shards_by_rank(size, shards, comm.size());
    setting.seed = config_.train.seed;
    setting.is_training = true;
    setting.factors = factored_.places(exchange_->factors(), setting.geometry.first_sample);
    Batch batch;
    batch.filled_shards = filled_shards(size, config_, data_);
    for (int shard = 0; shard < batch.filled_shards; ++shard)
        batch.all_shards.push_back(near_equal_piece(size, shards, shard));
    const SampleRange own = shards_of_rank(shards, comm.size(), comm.rank());
    for (const SampleRange& subtree : subtrees_of(own, batch.filled_shards)) {
        const std::span<float> gradient = exchange_->gradient(batch.tails.size());
        setting.subtrees.push_back({{subtree.first - own.first, subtree.count}, gradient.data()});
        batch.tails.push_back(
            {.sum = gradient.subspan(gradient_size_), .shards = {}, .additions = {}});
        std::vector<SampleRange> leaves;
        for (int shard = subtree.first; shard < subtree.first + subtree.count; ++shard) {
            leaves.push_back({shard, 1});
            batch.tails.back().shards.push_back(tail_of(shard - own.first));
        }
        batch.tails.back().additions = additions_after(leaves, batch.filled_shards);
    }
    batch.plan = std::make_unique<StepPlan>(network_, std::move(setting), comm, clocks_, pool);
    return batch;
}

float* TrainingStep::tail_of(int own_shard) {
    return tails_.data() + static_cast<std::size_t>(own_shard) * kTailSize;
}

TrainingStep::Batch& TrainingStep::batch_of(std::size_t samples) {
    return samples == static_cast<std::size_t>(full_.plan->geometry().batch) ? full_ : last_;
}

StepResult TrainingStep::run(std::span<const std::uint32_t> samples, int epoch, std::int64_t step,
                             const Wishes& wishes) {
    Batch& batch = batch_of(samples.size());
    StepPlan& plan = *batch.plan;
    liveness::note_step(step);
    note(Phase::gather);
    fault_point("step.begin", step);
    gather(plan, samples, epoch);
    note(Phase::forward);
    plan.forward({step});
    fault_point("step.after_forward", step);
    write_losses(batch, wishes);
    note(Phase::backward);
    plan.backward();
    note(Phase::exchange);
    fault_point("exchange", step);
    StepResult result = result_of(sum_tails(batch));
    if (!std::isfinite(result.loss_sum))
        throw NonFiniteLoss(epoch, step, result.loss_sum,
                            origin_of_non_finite(network_, plan, {step}, comm_));
    if (result.wishes.stop) return result;
    plan.commit();
    result.loss_sum += update(batch, step) * static_cast<double>(result.count);
    fault_point("step.after_update", step);
    return result;
}

std::span<const float> TrainingStep::sum_tails(const Batch& batch) {
    const auto scope = clocks_.exchange.measure();
    return exchange_->sum_tails(batch.filled_shards);
}

// What regularizers add to the loss by the weights that the step began with.
double TrainingStep::update(const Batch& batch, std::int64_t step) {
    const auto scope = clocks_.exchange.measure();
    factored_.use(batch.all_shards);
    optimizer_.begin_step(learning_rate(step), step);
    if (norm_ && optimizer_.is_update())
        clip_gradients(*config_.train.optimizer.global_clipnorm, step);
    if (muon_ && optimizer_.is_update()) orthogonalize(step);
    if (penalty_) penalty_->begin();
    const auto update = [this](std::size_t first, std::span<const float> sum) {
        const auto weights = network_.parameters().trainable().subspan(first, sum.size());
        if (penalty_) penalty_->take(first, weights);
        optimizer_.update(first, sum, weights);
    };
    if (optimizer_.writes_weights())
        exchange_->sum_and_update(update);
    else
        exchange_->sum_alone(update);
    if (WeightAverage* average = optimizer_.average())
        average->take_constants(network_.parameters().constants());
    return penalty_ ? penalty_->total(comm_) : 0.0;
}

// A norm that is no number clips nothing: check_finite() finds what it was made of.
void TrainingStep::clip_gradients(double most, std::int64_t step) {
    norm_->begin(step);
    exchange_->visit_sums([this](std::size_t first, std::span<const float> sum) {
        norm_->take(first, optimizer_.whole_gradient(first, sum),
                    network_.parameters().trainable().subspan(first, sum.size()));
    });
    const double norm = norm_->total(comm_);
    optimizer_.scale_gradients(norm > most ? most / norm : 1.0);
}

// Updates of whole matrices, of whose gradients a rank has a slice: docs/muon.md.
void TrainingStep::orthogonalize(std::int64_t step) {
    const std::span<const float> weights = network_.parameters().trainable();
    exchange_->visit_sums([&](std::size_t first, std::span<const float> sum) {
        optimizer_.take_directions(first, optimizer_.whole_gradient(first, sum),
                                   weights.subspan(first, sum.size()));
    });
    exchange_->collect_directions();
    muon_->orthogonalize(step, exchange_->directions());
    exchange_->share_directions(muon_->parts());
}

void TrainingStep::begin_average() {
    const Parameters& parameters = network_.parameters();
    if (WeightAverage* average = optimizer_.average())
        average->begin(parameters.trainable(), parameters.constants());
}

void TrainingStep::collect_slots() {
    for (auto& [name, values] : optimizer_.slots()) exchange_->collect(values);
    if (WeightAverage* average = optimizer_.average()) exchange_->collect(average->weights());
}

// Ranks of one node share the weights: nobody reads them while they are written.
void TrainingStep::swap_average() {
    WeightAverage* average = optimizer_.average();
    if (average == nullptr) return;
    const Slice own = exchange_->own_weights();
    comm_.barrier();
    average->swap(own.first, exchange_->weights().subspan(own.first, own.count));
    average->swap_constants(network_.parameters().constants());
    comm_.barrier();
}

void TrainingStep::gather(StepPlan& plan, std::span<const std::uint32_t> samples, int epoch) {
    const auto scope = clocks_.data.measure();
    const BatchGeometry& geometry = plan.geometry();
    const auto own = samples.subspan(static_cast<std::size_t>(geometry.first_sample),
                                     static_cast<std::size_t>(geometry.samples));
    if (augmentation_.is_empty())
        write_input(data_.training, own, data_.scale, network_.input(), plan.input());
    else
        write_augmented_input(data_.training, own, augmentation_, epoch, data_.scale,
                              network_.input(), plan.input(), mixes_);
    for (std::size_t n = 0; n < own.size(); ++n) labels_[n] = data_.training.labels[own[n]];
    for (std::size_t n = 0; !mixes_.empty() && n < own.size(); ++n)
        second_labels_[n] = {data_.training.labels[mixes_[n].partner], 1.0F - mixes_[n].weight};
}

void TrainingStep::write_losses(Batch& batch, const Wishes& wishes) {
    StepPlan& plan = *batch.plan;
    const BatchGeometry& geometry = plan.geometry();
    const auto classes = static_cast<std::size_t>(network_.classes());
    for (std::size_t i = 0; i < geometry.shards.size(); ++i) {
        const auto first = static_cast<std::size_t>(geometry.shards[i].first);
        const auto count = static_cast<std::size_t>(geometry.shards[i].count);
        const LossSum sum = softmax_cross_entropy(
            plan.logits().subspan(first * classes, count * classes),
            std::span(labels_).subspan(first, count), network_.classes(), geometry.batch,
            plan.diff_logits().subspan(first * classes, count * classes),
            config_.train.label_smoothing, class_weights_,
            second_labels_.empty() ? std::span<const SecondLabel>()
                                   : std::span(second_labels_).subspan(first, count));
        float* tail = tail_of(static_cast<int>(i));
        tail[kLoss] = static_cast<float>(sum.loss);
        tail[kCorrect] = static_cast<float>(sum.correct);
        tail[kCount] = static_cast<float>(count);
        put_wishes(wishes, {tail, kTailSize});
    }
    for (const SubtreeTail& tail : batch.tails)
        add_in_tree_order(tail.shards, tail.additions, 0, tail.sum);
    if (geometry.shards.empty()) {  // zeros change no sum, but carry wishes
        const std::span<float> tail = exchange_->gradient(0).subspan(gradient_size_);
        std::ranges::fill(tail, 0.0F);
        put_wishes(wishes, tail);
    }
}

double TrainingStep::learning_rate(std::int64_t step) const {
    return learning_rate_at(base_learning_rate_, config_.train.schedule, step, steps_per_epoch_);
}

}  // namespace lockstep::trainer
