#include "trainer/benchmark/measured_training.hpp"

#include <algorithm>

#include "trainer/config/architecture.hpp"
#include "trainer/determinism/random.hpp"
#include "trainer/parameters/initializers.hpp"

namespace lockstep::trainer {

namespace {

using Clock = BenchmarkClock;

constexpr int kEpoch = 1;

std::vector<double> by_step(std::span<const double> of_all, int steps) {
    std::vector<double> result(of_all.begin(), of_all.end());
    for (double& value : result) value /= steps;
    return result;
}

// The plan is walked by another one until the end of the scope.
class WalkedBy {
public:
    WalkedBy(StepPlan& plan, PassWalker& walker) : plan_(plan) { plan_.walk_by(&walker); }
    ~WalkedBy() { plan_.walk_by(nullptr); }
    WalkedBy(const WalkedBy&) = delete;
    WalkedBy& operator=(const WalkedBy&) = delete;

private:
    StepPlan& plan_;
};

// Values that shall be as they were.
class Kept {
public:
    explicit Kept(std::span<float> place) : place_(place), copy_(place.begin(), place.end()) {}
    void put_back() const { std::ranges::copy(copy_, place_.begin()); }

private:
    std::span<float> place_;
    std::vector<float> copy_;
};

}  // namespace

MeasuredTraining::MeasuredTraining(const RunConfig& config, const RunData& data,
                                   const Communicator& comm)
    : config_(config),
      data_(data),
      comm_(comm),
      network_(config_.layers, data.shape, static_cast<int>(data.class_names.size())),
      step_(config_, data, network_, comm, pool_),
      order_(epoch_order(config_.train.seed, kEpoch, data.training.count())) {
    comm.barrier();  // ranks may share the weights
    network_.parameters().set_weights(initial_weights(
        infer_shapes(config_.layers, data.shape, network_.classes()), config_.train.seed, data));
    comm.barrier();
    step_.begin_average();
}

// The next full batch of the epoch; the short last one is left out.
std::span<const std::uint32_t> MeasuredTraining::next_samples() {
    const auto size = static_cast<std::size_t>(batch());
    if (next_ + size > order_.size()) next_ = 0;
    const auto samples = std::span<const std::uint32_t>(order_).subspan(next_, size);
    next_ += size;
    return samples;
}

// A wish to stop ends a step before its update.
void MeasuredTraining::step(bool is_undone) {
    step_.run(next_samples(), kEpoch, steps_taken_, {.stop = is_undone});
    if (!is_undone) ++steps_taken_;
}

double MeasuredTraining::plain(int steps) {
    comm_.barrier();
    const auto start = Clock::now();
    for (int i = 0; i < steps; ++i) step();
    comm_.barrier();
    return seconds(Clock::now() - start) / steps;
}

ClockedSteps MeasuredTraining::clocked(int steps, Meeting meeting) {
    ClockedWalker walker(plan(), meeting == Meeting::together ? &comm_ : nullptr);
    const WalkedBy scope(plan(), walker);
    StepParts sum;
    comm_.barrier();
    for (int i = 0; i < steps; ++i) {
        walker.times().begin_step();
        const auto start = Clock::now();
        step();
        const auto end = Clock::now();
        const auto& [forward, backward] = walker.passes();
        sum.data += seconds(forward.begin - start);
        sum.loss += seconds(backward.begin - forward.end);
        sum.exchange += seconds(end - backward.end);
    }
    ClockedSteps result{.parts = {.data = sum.data / steps,
                                  .loss = sum.loss / steps,
                                  .exchange = sum.exchange / steps},
                        .calls = by_step(walker.times().seconds(), steps)};
    const std::vector<PlannedStep> calls = this->calls();
    for (std::size_t i = 0; i < calls.size(); ++i) {
        const bool is_meeting = calls[i].work->work.extent == Extent::batch;
        (is_meeting ? result.parts.statistics : result.parts.compute) += result.calls[i];
    }
    return result;
}

AloneSteps MeasuredTraining::alone(int steps, int repeats) {
    AloneWalker walker(plan(), repeats);
    const WalkedBy scope(plan(), walker);
    AloneSteps result;
    comm_.barrier();
    for (int i = 0; i < steps; ++i) {
        walker.times().begin_step();
        step(true);
        result.update += update_alone(repeats) / steps;
    }
    result.calls = by_step(walker.times().seconds(), steps);
    return result;
}

// A rank updates the weights of its slice, which others read: all put back what all had.
double MeasuredTraining::update_alone(int repeats) {
    Parameters& parameters = network_.parameters();
    std::vector<Kept> all{Kept(parameters.trainable()), Kept(parameters.constants())};
    for (auto& [name, values] : step_.optimizer().slots()) all.emplace_back(values);
    if (WeightAverage* average = step_.optimizer().average()) {
        all.emplace_back(average->weights());
        all.emplace_back(average->constants());
    }
    comm_.barrier();  // every rank has kept them
    step_.update_again(steps_taken_);
    const auto start = Clock::now();
    for (int i = 0; i < repeats; ++i) step_.update_again(steps_taken_);
    const auto end = Clock::now();
    comm_.barrier();
    for (const Kept& kept : all) kept.put_back();
    comm_.barrier();
    return seconds(end - start) / repeats;
}

std::vector<PlannedStep> MeasuredTraining::calls() {
    std::vector<PlannedStep> calls;
    for (const auto pass : {plan().forward_calls(), plan().backward_calls()})
        calls.insert(calls.end(), pass.begin(), pass.end());
    return calls;
}

}  // namespace lockstep::trainer
