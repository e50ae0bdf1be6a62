#include "pipeline/verbs/bench_step_tables.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "pipeline/verbs/bench_figures.hpp"

namespace lockstep::pipeline {
namespace {

using storage::Cell;
using trainer::ResidentMemory;
using trainer::WorkTiming;

Cell microseconds(double seconds) { return rounded(seconds * 1e6, 10); }
Cell ratio(double value) { return rounded(value, 1000); }
Cell none() { return {}; }

double mebibytes_of_largest(const std::vector<ResidentMemory>& memory,
                            std::int64_t ResidentMemory::*figure) {
    std::int64_t largest = 0;
    for (const ResidentMemory& rank : memory) largest = std::max(largest, rank.*figure);
    return rounded(static_cast<double>(largest) / (1 << 20), 10);
}

// Of a piece of work that was measured; null where nothing is multiplied.
Cell gigaflops(const WorkTiming& work) {
    return work.flops > 0.0 && work.seconds > 0.0 && !work.leaves_products
               ? Cell(rounded(work.flops / work.seconds / 1e9, 10))
               : none();
}
Cell share_of_peak(const WorkTiming& work, double seconds, double peak) {
    return work.flops > 0.0 && seconds > 0.0 && !work.leaves_products
               ? ratio(work.flops / seconds / peak)
               : none();
}

int meetings_of(const trainer::StepBenchmark& step) {
    int meetings = 0;
    for (const WorkTiming& work : step.works)
        if (work.is_meeting) meetings += work.calls;
    return meetings;
}

// What was measured on so many ranks of one node.
std::optional<double> measured_seconds(const BenchedRun& run, int nodes, int ranks) {
    if (nodes != 1) return std::nullopt;
    if (ranks == run.ranks) return run.step.step_seconds;
    if (ranks == 1) return run.scaling.lone.front().step;
    return std::nullopt;
}

struct Place {
    int nodes, ranks_per_node;
};

// One rank, all of a node, then twice as many nodes each time while there are shards for them.
std::vector<Place> places_of(const BenchedRun& run) {
    std::vector<Place> places{{1, 1}};
    if (run.ranks > 1) places.push_back({1, run.ranks});
    for (int nodes = 2; nodes * run.ranks <= run.shards; nodes *= 2)
        places.push_back({nodes, run.ranks});
    return places;
}

// Of all layers together.
std::vector<Cell> update_row(const BenchedRun& run) {
    const trainer::StepBenchmark& step = run.step;
    return {run.name,
            "all",
            "update",
            "sum and update",
            std::int64_t{1},
            microseconds(step.update_seconds),
            ratio(step.update_seconds / step.shares.sum()),
            microseconds(step.update_alone_seconds),
            ratio(step.update_seconds / step.update_alone_seconds),
            none(),
            none(),
            none()};
}

}  // namespace

StepCost cost_of(const BenchedRun& run, const NetworkFigures& network) {
    const auto& lone = run.scaling.lone;
    std::vector<SamplePoint> points;
    for (std::size_t i = lone.size() > 1 ? 1 : 0; i < lone.size(); ++i)
        points.push_back({static_cast<double>(lone[i].samples), lone[i].passes});
    const SampleLine line = fit_samples(points);
    const int meetings = meetings_of(run.step);
    const double update = lone.front().exchange;
    return {.batch = run.step.batch,
            .shards = run.shards,
            .fixed_seconds = line.fixed_seconds,
            .sample_seconds = line.sample_seconds,
            .update_seconds = update,
            .node_seconds = std::max(0.0, run.step.shares.exchange - update / run.ranks),
            .gradient_bytes = run.gradient_bytes,
            .meetings = meetings,
            .meeting_seconds = meetings > 0 ? run.step.shares.statistics / meetings : 0.0,
            .latency_seconds = network.latency_seconds,
            .bytes_per_second = network.bytes_per_second};
}

storage::Table steps_table(const std::vector<BenchedRun>& runs) {
    storage::Table table;
    table.columns = {"run",         "ranks",    "batch_size",      "images_per_second",
                     "step_us",     "compute",  "statistics",      "exchange",
                     "data",        "waiting",  "step_by_kernels", "step_by_parts",
                     "clock_ratio", "speedup",  "fma_gflops",      "resident_mib",
                     "peak_mib",    "share_mib"};
    for (const BenchedRun& run : runs) {
        const trainer::StepBenchmark& step = run.step;
        const trainer::StepShares& shares = step.shares;
        const auto share = [&](double seconds) { return ratio(seconds / shares.sum()); };
        table.rows.push_back(
            {run.name, std::int64_t{run.ranks}, std::int64_t{step.batch},
             rounded(step.batch / step.step_seconds, 1), microseconds(step.step_seconds),
             share(shares.compute), share(shares.statistics), share(shares.exchange),
             share(shares.data), share(shares.waiting), ratio(step.step_by_kernels),
             ratio(step.step_by_parts), ratio(step.clock_ratio),
             run.ranks > 1 ? ratio(run.scaling.speedup) : none(), rounded(step.fma_peak / 1e9, 10),
             mebibytes_of_largest(step.memory, &ResidentMemory::now),
             mebibytes_of_largest(step.memory, &ResidentMemory::peak),
             mebibytes_of_largest(step.memory, &ResidentMemory::share)});
    }
    return table;
}

storage::Table layers_table(const std::vector<BenchedRun>& runs) {
    storage::Table table;
    table.columns = {"run",   "layer",    "direction",     "work",   "calls",    "us",
                     "share", "alone_us", "step_by_alone", "gflops", "fma_peak", "alone_fma_peak"};
    for (const BenchedRun& run : runs) {
        for (const WorkTiming& work : run.step.works) {
            const double peak = run.step.fma_peak;
            table.rows.push_back(
                {run.name, work.layer, std::string(work.is_backward ? "backward" : "forward"),
                 work.work, std::int64_t{work.calls}, microseconds(work.seconds),
                 ratio(work.seconds / run.step.shares.sum()), microseconds(work.alone_seconds),
                 work.alone_seconds > 0.0 ? ratio(work.seconds / work.alone_seconds) : none(),
                 gigaflops(work), share_of_peak(work, work.seconds, peak),
                 share_of_peak(work, work.alone_seconds, peak)});
        }
        table.rows.push_back(update_row(run));
    }
    return table;
}

storage::Table scaling_table(const std::vector<BenchedRun>& runs, const NetworkFigures& network) {
    storage::Table table;
    table.columns = {
        "run",         "nodes",         "ranks",       "samples_per_rank",  "compute_us",
        "exchange_us", "statistics_us", "step_us",     "images_per_second", "speedup",
        "measured_us", "error",         "side_by_side"};
    for (const BenchedRun& run : runs) {
        const StepCost cost = cost_of(run, network);
        const double on_one = predict_step(cost, 1, 1).seconds();
        for (const auto [nodes, ranks_per_node] : places_of(run)) {
            const PredictedStep step = predict_step(cost, nodes, ranks_per_node);
            const int ranks = nodes * ranks_per_node;
            const auto measured = measured_seconds(run, nodes, ranks);
            table.rows.push_back(
                {run.name, std::int64_t{nodes}, std::int64_t{ranks}, std::int64_t{step.samples},
                 microseconds(step.compute), microseconds(step.exchange),
                 microseconds(step.statistics), microseconds(step.seconds()),
                 rounded(cost.batch / step.seconds(), 1), ratio(on_one / step.seconds()),
                 measured ? microseconds(*measured) : none(),
                 measured ? ratio(step.seconds() / *measured - 1.0) : none(),
                 ratio(side_by_side_gain(on_one, step.seconds(), ranks))});
        }
    }
    return table;
}

}  // namespace lockstep::pipeline
