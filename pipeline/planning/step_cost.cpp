#include "pipeline/planning/step_cost.hpp"

#include "trainer/determinism/shards.hpp"

namespace lockstep::pipeline {

PredictedStep predict_step(const StepCost& cost, int nodes, int ranks_per_node) {
    const int ranks = nodes * ranks_per_node;
    PredictedStep step;
    // Of pieces of near-equal size the first is one of the largest.
    step.samples = trainer::batch_geometry(cost.batch, cost.shards, ranks, 0).samples;
    step.compute = cost.fixed_seconds + cost.sample_seconds * step.samples;
    step.exchange = cost.update_seconds / ranks;
    if (ranks == 1) return step;
    if (ranks_per_node > 1) step.exchange += cost.node_seconds;
    step.statistics = cost.meetings * (ranks_per_node > 1 ? cost.meeting_seconds : 0.0);
    if (nodes == 1) return step;
    step.exchange += 2.0 * (nodes - 1) / nodes * cost.gradient_bytes / cost.bytes_per_second +
                     2.0 * cost.latency_seconds;
    step.statistics += cost.meetings * cost.latency_seconds;
    return step;
}

double side_by_side_gain(double seconds_on_one, double seconds_on_all, int ranks) {
    return seconds_on_all * ranks / seconds_on_one;
}

SampleLine fit_samples(std::span<const SamplePoint> points) {
    double samples = 0.0, seconds = 0.0;
    for (const SamplePoint& point : points) {
        samples += point.samples;
        seconds += point.seconds;
    }
    const auto count = static_cast<double>(points.size());
    double products = 0.0, squares = 0.0;
    for (const SamplePoint& point : points) {
        const double from_mean = point.samples - samples / count;
        products += from_mean * (point.seconds - seconds / count);
        squares += from_mean * from_mean;
    }
    const SampleLine through_zero{0.0, seconds / samples};
    if (squares == 0.0) return through_zero;
    const double slope = products / squares;
    const double fixed = (seconds - slope * samples) / count;
    if (fixed < 0.0) return through_zero;
    if (slope < 0.0) return {seconds / count, 0.0};
    return {fixed, slope};
}

}  // namespace lockstep::pipeline
