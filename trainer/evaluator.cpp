#include "trainer/evaluator.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "liveness/fault_point.hpp"
#include "liveness/pulse.hpp"
#include "trainer/config/limits.hpp"
#include "trainer/data/batch_input.hpp"
#include "trainer/determinism/shards.hpp"
#include "trainer/kernels/softmax.hpp"

namespace lockstep::trainer {

namespace {

// Probabilities travel by one call of MPI, and samples are numbered by an int.
void require_countable(const SampleSet& samples, int classes) {
    trainer::require_countable(static_cast<double>(samples.count()) * std::max(classes, 2),
                               "the probabilities of all samples");
}

// Samples of one pass: enough to repay what is prepared from the weights for it.
constexpr int kSlice = 100;
// Samples that go through the layers together, so that their activations stay in the L2 cache.
constexpr int kPiece = 4;

// Sums of a slice.
enum Sum : std::size_t { kLoss, kCorrect, kInTop, kSums };

int slices_in(const SampleSet& samples) {
    return static_cast<int>((samples.count() + kSlice - 1) / kSlice);
}

SampleRange slice_range(const SampleSet& samples, int slice) {
    const int first = slice * kSlice;
    return {first, std::min(kSlice, static_cast<int>(samples.count()) - first)};
}

// Doubles that each rank contributes, where a slice gives `per_slice`, and where they begin.
struct Contributions {
    std::vector<int> counts;
    std::vector<int> offsets;
};

template <class SizeOf>
Contributions contributions(const SampleSet& samples, int ranks, SizeOf doubles_of_slice) {
    Contributions result;
    int offset = 0;
    for (int rank = 0; rank < ranks; ++rank) {
        const SampleRange own = near_equal_piece(slices_in(samples), ranks, rank);
        int count = 0;
        for (int slice = own.first; slice < own.first + own.count; ++slice)
            count += doubles_of_slice(slice);
        result.counts.push_back(count);
        result.offsets.push_back(offset);
        offset += count;
    }
    return result;
}

}  // namespace

Evaluator::Evaluator(const RunConfig& config, const RunData& data, Network& network,
                     const Communicator& comm, BufferPool& pool)
    : config_(config),
      data_(data),
      network_(network),
      comm_(comm),
      pool_(pool),
      view_input_(data.shape) {
    const Parameters& parameters = network.parameters();
    const auto ranges = weight_ranges(config.train.optimizer, config.layers, parameters, 1);
    if (has_l2(ranges)) penalty_.emplace(ranges, parameters.trainable().size(), 1);
    for (const SampleSet* samples : {&data.validation, &data.test})
        require_countable(*samples, network.classes());
}

StepPlan& Evaluator::plan_of(int samples) {
    for (const auto& plan : plans_)
        if (plan->geometry().samples == samples) return *plan;
    PlanSetting setting;
    setting.geometry = {.batch = samples, .first_sample = 0, .samples = samples, .shards = {}};
    for (int first = 0; first < samples; first += kPiece)
        setting.geometry.shards.push_back({first, std::min(kPiece, samples - first)});
    plans_.push_back(
        std::make_unique<StepPlan>(network_, std::move(setting), comm_, clocks_, pool_));
    return *plans_.back();
}

// The weights of views are powers of two: nothing is rounded but the sum.
std::span<const float> Evaluator::logits_of(const SampleSet& samples,
                                            std::span<const std::uint32_t> which, StepPlan& plan,
                                            std::span<const View> views) {
    if (views.size() == 1) {
        write_input(samples, which, data_.scale, network_.input(), plan.input());
        plan.forward({});
        return plan.logits();
    }
    mean_logits_.assign(plan.logits().size(), 0.0);
    for (const View& view : views) {
        liveness::note(liveness::Phase::evaluation);
        view_input_.write(samples, which, view, data_.scale, network_.input(), plan.input());
        plan.forward({});
        for (std::size_t i = 0; i < mean_logits_.size(); ++i)
            mean_logits_[i] += view.weight * static_cast<double>(plan.logits()[i]);
    }
    shown_logits_.resize(mean_logits_.size());
    std::ranges::transform(mean_logits_, shown_logits_.begin(),
                           [](double logit) { return static_cast<float>(logit); });
    return shown_logits_;
}

std::vector<double> Evaluator::run_slices(const SampleSet& samples, TestViews views,
                                          std::vector<double>* probabilities) {
    const SampleRange own = near_equal_piece(slices_in(samples), comm_.size(), comm_.rank());
    std::vector<double> sums;
    std::vector<std::uint32_t> which;
    std::vector<float> slice_probabilities;
    for (int slice = own.first; slice < own.first + own.count; ++slice) {
        liveness::note(liveness::Phase::evaluation);
        liveness::fault_point("evaluation");
        const SampleRange range = slice_range(samples, slice);
        which.resize(static_cast<std::size_t>(range.count));
        std::iota(which.begin(), which.end(), static_cast<std::uint32_t>(range.first));
        const std::span<const float> logits =
            logits_of(samples, which, plan_of(range.count), views_of(views));
        const auto labels =
            std::span(samples.labels).subspan(static_cast<std::size_t>(range.first), which.size());
        const LossSum sum = softmax_cross_entropy(logits, labels, network_.classes(), range.count,
                                                  {}, config_.train.label_smoothing);
        sums.push_back(sum.loss);
        sums.push_back(static_cast<double>(sum.correct));
        sums.push_back(
            static_cast<double>(count_in_top(kTopClasses, logits, labels, network_.classes())));
        if (probabilities == nullptr) continue;
        slice_probabilities.resize(logits.size());
        softmax_forward(logits.data(), slice_probabilities.data(), range.count, network_.classes());
        probabilities->insert(probabilities->end(), slice_probabilities.begin(),
                              slice_probabilities.end());
    }
    return sums;
}

Metrics Evaluator::sum_of_slices(const SampleSet& samples, const std::vector<double>& own) {
    const Contributions from =
        contributions(samples, comm_.size(), [](int) { return static_cast<int>(kSums); });
    std::vector<double> all(kSums * static_cast<std::size_t>(slices_in(samples)));
    comm_.all_gather(own, all, from.counts, from.offsets);
    std::array<double, kSums> sums{};
    for (std::size_t i = 0; i < all.size(); ++i) sums[i % kSums] += all[i];
    const auto count = static_cast<double>(samples.count());
    const double penalty = penalty_ ? penalty_->of(network_.parameters().trainable()) : 0.0;
    Metrics metrics{.loss = sums[kLoss] / count + penalty,
                    .accuracy = sums[kCorrect] / count,
                    .count = samples.count()};
    if (network_.classes() > kTopClasses) metrics.top_5_accuracy = sums[kInTop] / count;
    return metrics;
}

Metrics Evaluator::metrics(const SampleSet& samples) {
    return sum_of_slices(samples, run_slices(samples, TestViews::image, nullptr));
}

Evaluation Evaluator::evaluate(const SampleSet& samples, TestViews views) {
    std::vector<double> own;
    Evaluation evaluation{.metrics = sum_of_slices(samples, run_slices(samples, views, &own)),
                          .probabilities = {}};
    const Contributions from = contributions(samples, comm_.size(), [&](int slice) {
        return slice_range(samples, slice).count * network_.classes();
    });
    // A float survives the trip as a double unchanged.
    std::vector<double> all(static_cast<std::size_t>(samples.count()) *
                            static_cast<std::size_t>(network_.classes()));
    comm_.all_gather(own, all, from.counts, from.offsets);
    if (comm_.is_root())
        for (const double p : all) evaluation.probabilities.push_back(static_cast<float>(p));
    return evaluation;
}

Evaluation evaluate(const RunConfig& config, const NamedTensors& weights, const RunData& data,
                    const SampleSet& samples, const Communicator& comm, TestViews views) {
    Network network(config.layers, data.shape, static_cast<int>(data.class_names.size()));
    require_countable(samples, network.classes());
    network.parameters().set_weights(weights);
    BufferPool pool;
    return Evaluator(config, data, network, comm, pool).evaluate(samples, views);
}

}  // namespace lockstep::trainer
