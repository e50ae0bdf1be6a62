#include "trainer/benchmark/scaling_benchmark.hpp"

#include <functional>
#include <memory>
#include <span>

#include "trainer/kernels/median.hpp"

namespace lockstep::trainer {

namespace {

constexpr int kMostHalvings = 2;

// The run with its batch halved so often, as far as that goes without other shards.
std::vector<RunConfig> halved_runs(const RunConfig& config) {
    std::vector<RunConfig> runs{config};
    while (static_cast<int>(runs.size()) <= kMostHalvings) {
        RunConfig half = runs.back();
        if (half.train.batch_size % 2 != 0 || half.parallel.shards % 2 != 0) break;
        half.train.batch_size /= 2;
        half.parallel.shards /= 2;
        runs.push_back(std::move(half));
    }
    return runs;
}

using Figure = double LoneTiming::*;

double median_of(const std::vector<LoneTiming>& rounds, Figure figure) {
    std::vector<double> values;
    for (const LoneTiming& round : rounds) values.push_back(round.*figure);
    return median(std::move(values));
}

LoneTiming measure(MeasuredTraining& training, int steps) {
    const double step = training.plain(steps);
    const StepParts parts = training.clocked(steps, Meeting::as_in_training).parts;
    return {.samples = training.batch(),
            .step = step,
            .passes = parts.sum() - parts.exchange,
            .exchange = parts.exchange};
}

// The trainings of rank 0; none on the others.
class LoneTrainings {
public:
    LoneTrainings(const std::vector<RunConfig>& runs, const RunData& data,
                  const Communicator& alone) {
        for (const RunConfig& run : runs)
            trainings_.push_back(std::make_unique<MeasuredTraining>(run, data, alone));
        rounds_.resize(runs.size());
    }
    void measure_round(int steps) {
        for (std::size_t i = 0; i < trainings_.size(); ++i)
            rounds_[i].push_back(measure(*trainings_[i], steps));
    }
    void warm_up(int steps) {
        for (const auto& training : trainings_) training->plain(steps);
    }
    double last_step_seconds() const { return rounds_.front().back().step; }
    std::vector<LoneTiming> medians() const {
        std::vector<LoneTiming> medians;
        for (const auto& rounds : rounds_)
            medians.push_back({.samples = rounds.front().samples,
                               .step = median_of(rounds, &LoneTiming::step),
                               .passes = median_of(rounds, &LoneTiming::passes),
                               .exchange = median_of(rounds, &LoneTiming::exchange)});
        return medians;
    }

private:
    std::vector<std::unique_ptr<MeasuredTraining>> trainings_;
    std::vector<std::vector<LoneTiming>> rounds_;  // by training
};

}  // namespace

ScalingBenchmark benchmark_scaling(MeasuredTraining& training, const StepBenchmarkConfig& config) {
    const Communicator& comm = training.comm();
    const Communicator alone = comm.split(comm.rank());
    const std::vector<RunConfig> runs = halved_runs(training.config());
    LoneTrainings lone(comm.is_root() ? runs : std::vector<RunConfig>(), training.data(), alone);
    lone.warm_up(config.steps);
    comm.sleep_until_all_come();
    std::vector<double> speedups;
    for (int round = 0; round < config.rounds; ++round) {
        const double on_all = training.plain(config.steps);
        if (comm.is_root()) {
            lone.measure_round(config.steps);
            speedups.push_back(lone.last_step_seconds() / on_all);
        }
        comm.sleep_until_all_come();
    }
    ScalingBenchmark result;
    result.lone.resize(runs.size());
    if (comm.is_root()) {
        result.lone = lone.medians();
        result.speedup = median(std::move(speedups));
    }
    comm.broadcast(std::as_writable_bytes(std::span(result.lone)));
    comm.broadcast(std::as_writable_bytes(std::span(&result.speedup, 1)));
    return result;
}

}  // namespace lockstep::trainer
