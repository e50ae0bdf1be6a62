#include "pipeline/planning/side_by_side.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <variant>
#include <vector>

#include "trainer/determinism/shards.hpp"

namespace lockstep::pipeline {
namespace {

// One core of a server of today: operations of the direct algorithm in a second, as small networks
// reach them (the tutorials' reach three to ten times as many), and bytes of a gradient that are
// added up and update their weights.
constexpr double kFlopsPerSecond = 50e9;
constexpr double kUpdateBytesPerSecond = 8e9;
// What is the same whatever there is to compute: calls of a step, one meeting of ranks.
constexpr double kFixedSeconds = 5e-6;
constexpr double kMeetingSeconds = 1e-6;
constexpr int kMeetingsOfExchange = 3;

// Forward, by data, by weights.
constexpr double kPassesOfTraining = 3.0;

constexpr double kLeastGain = 1.05;

double seconds_of(const PlannedRun& planned, int ranks) {
    return predict_step(estimated_cost(planned), 1, ranks).seconds() *
           static_cast<double>(planned.estimate.steps);
}

// Until the last group is done.
double seconds_side_by_side(const Plan& plan, int groups, int ranks_per_run) {
    std::vector<double> runs;
    for (const PlannedRun& planned : plan.runs) runs.push_back(seconds_of(planned, ranks_per_run));
    std::ranges::sort(runs, std::greater<>{});
    std::vector<double> load(static_cast<std::size_t>(groups), 0.0);
    for (const double seconds : runs) *std::ranges::min_element(load) += seconds;
    return *std::ranges::max_element(load);
}

bool is_free_to_choose(const PlannedRun& planned, int ranks) {
    const trainer::ParallelConfig& parallel = planned.run.config.parallel;
    return !parallel.ranks_per_run && parallel.shards >= ranks;
}

}  // namespace

StepCost estimated_cost(const PlannedRun& planned) {
    const trainer::RunConfig& config = planned.run.config;
    const auto norms = std::ranges::count_if(config.layers, [](const auto& layer) {
        return std::holds_alternative<trainer::BatchNormalizationConfig>(layer.kind);
    });
    const double gradient_bytes = static_cast<double>(planned.trainable_parameters) * sizeof(float);
    return {.batch = config.train.batch_size,
            .shards = trainer::shards_of_batch(config.train.batch_size, config.parallel.shards),
            .fixed_seconds = kFixedSeconds,
            .sample_seconds =
                kPassesOfTraining * static_cast<double>(planned.flops_per_image) / kFlopsPerSecond,
            .update_seconds = gradient_bytes / kUpdateBytesPerSecond,
            .node_seconds = kMeetingsOfExchange * kMeetingSeconds,
            .gradient_bytes = gradient_bytes,
            .meetings = 2 * static_cast<int>(norms),  // forward and backward
            .meeting_seconds = kMeetingSeconds};
}

std::optional<SideBySide> best_side_by_side(const Plan& plan, int ranks) {
    const auto is_free = [&](const PlannedRun& planned) {
        return is_free_to_choose(planned, ranks);
    };
    if (plan.runs.size() < 2 || !std::ranges::all_of(plan.runs, is_free)) return std::nullopt;
    const double one_after_another = seconds_side_by_side(plan, 1, ranks);
    SideBySide best{ranks, 1.0};
    for (int groups = 2; groups <= ranks; ++groups) {
        if (ranks % groups != 0) continue;
        const double gain = one_after_another / seconds_side_by_side(plan, groups, ranks / groups);
        if (gain > best.gain) best = {ranks / groups, gain};
    }
    if (best.gain < kLeastGain) return std::nullopt;
    return best;
}

std::string side_by_side_note(const Plan& plan, int ranks) {
    const auto best = best_side_by_side(plan, ranks);
    if (!best) return "";
    return fmt::format(
        "note: on {} ranks of one node these runs would be done {:.2f} times as fast side by side, "
        "{} each (ranks_per_run = {} under [parallel]); an estimate, `lockstep bench step` "
        "measures\n",
        ranks, best->gain,
        best->ranks_per_run == 1 ? "one rank" : fmt::format("{} ranks", best->ranks_per_run),
        best->ranks_per_run);
}

}  // namespace lockstep::pipeline
