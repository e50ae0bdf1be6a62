#include "reports/figures/leaderboard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <span>

namespace lockstep::reports {
namespace {

using storage::RunState;
using Runs = std::vector<RunFigures>;
using Pick = std::function<std::optional<double>(const RunFigures&)>;

// The runs whose figures an entry shows.
std::vector<std::size_t> counted_runs(const Runs& runs, const ArchitectureFigures& entry) {
    std::vector<std::size_t> counted;
    for (const std::size_t i : entry.runs) {
        const bool counts = entry.is_preliminary ? runs[i].has_epochs() : runs[i].is_finished();
        if (counts) counted.push_back(i);
    }
    return counted;
}

Estimate estimate(const Runs& runs, std::span<const std::size_t> counted, const Pick& pick) {
    std::vector<double> values;
    for (const std::size_t i : counted) {
        if (const auto value = pick(runs[i])) values.push_back(*value);
    }
    return estimate_of(values);
}

std::optional<Interval> wilson_of(double accuracy, std::int64_t count) {
    if (count <= 0 || !(accuracy >= 0.0 && accuracy <= 1.0)) return std::nullopt;
    return wilson_interval(std::llround(accuracy * static_cast<double>(count)), count);
}

// How many samples a metric was measured on; 0 for those of training, whose running mean over
// changing weights is no proportion of one network.
std::int64_t samples_of(const RunFigures& run, const std::string& metric) {
    if (metric == "test_accuracy") return run.test_count.value_or(0);
    return metric == "accuracy" ? 0 : run.run.validation_samples;
}

Measured measured(const Runs& runs, std::span<const std::size_t> counted, const Pick& pick,
                  const std::string& metric) {
    Measured result{estimate(runs, counted, pick), std::nullopt, IntervalKind::none};
    if (result.estimate.interval) {
        result.interval = result.estimate.interval;
        result.kind = IntervalKind::over_seeds;
    } else if (result.estimate.count == 1 && !counted.empty()) {
        const RunFigures& run = runs[counted.front()];
        result.interval = wilson_of(result.estimate.mean, samples_of(run, metric));
        if (result.interval) result.kind = IntervalKind::of_one_run;
    }
    return result;
}

Pick pick_metric(const std::string& name) {
    if (name == "test_accuracy") return [](const RunFigures& run) { return run.test_accuracy; };
    if (name == "best_val_accuracy") {
        return [](const RunFigures& run) { return run.val_accuracy.best; };
    }
    if (name == "val_accuracy") {
        return [](const RunFigures& run) { return run.val_accuracy.final; };
    }
    return [](const RunFigures& run) { return run.accuracy.final; };
}

std::optional<PrintedComparison> compare_printed(const Runs& runs, const ArchitectureFigures& entry,
                                                 std::span<const std::size_t> counted) {
    const auto printed = printed_figure(runs[entry.runs.front()].run.expected);
    if (!printed) return std::nullopt;
    PrintedComparison result{
        *printed, measured(runs, counted, pick_metric(printed->metric), printed->metric), {}};
    const auto& interval = result.ours.interval;
    if (interval) result.is_covered = interval->contains(printed->value);
    return result;
}

std::string state_of(const Runs& runs, const ArchitectureFigures& entry) {
    std::map<RunState, int> counts;
    for (const std::size_t i : entry.runs) ++counts[runs[i].run.state];
    std::string text;
    for (const auto& [state, count] : counts) {
        const std::string_view word = storage::to_string(state);
        if (counts.size() == 1) return std::string(word);
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, word);
    }
    return text;
}

void add_figures(const Runs& runs, ArchitectureFigures& entry) {
    const std::vector<std::size_t> counted = counted_runs(runs, entry);
    const auto mean = [&](const Pick& pick) { return estimate(runs, counted, pick); };
    entry.test_accuracy = measured(runs, counted, pick_metric("test_accuracy"), "test_accuracy");
    entry.test_loss = mean([](const RunFigures& run) { return run.test_loss; });
    entry.accuracy_best = mean([](const RunFigures& run) { return run.accuracy.best; });
    entry.accuracy_final = mean([](const RunFigures& run) { return run.accuracy.final; });
    entry.loss_best = mean([](const RunFigures& run) { return run.loss.best; });
    entry.loss_final = mean([](const RunFigures& run) { return run.loss.final; });
    entry.val_accuracy_best = mean([](const RunFigures& run) { return run.val_accuracy.best; });
    entry.val_accuracy_final = mean([](const RunFigures& run) { return run.val_accuracy.final; });
    entry.val_loss_best = mean([](const RunFigures& run) { return run.val_loss.best; });
    entry.val_loss_final = mean([](const RunFigures& run) { return run.val_loss.final; });
    entry.epochs = mean([](const RunFigures& run) { return double(run.epochs.size()); });
    entry.seconds = mean([](const RunFigures& run) { return run.seconds; });
    entry.images_per_second = mean([](const RunFigures& run) { return run.images_per_second; });
    entry.printed = compare_printed(runs, entry, counted);
}

std::vector<ArchitectureFigures> grouped(const Runs& runs) {
    std::vector<ArchitectureFigures> entries;
    std::map<std::pair<std::string, std::string>, std::size_t> places;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const RunFigures& run = runs[i];
        const auto [place, is_new] =
            places.try_emplace({run.architecture, run.design}, entries.size());
        if (is_new) {
            entries.push_back({.name = run.architecture,
                               .source = run.run.source,
                               .test_set = run.test_set,
                               .validates_on_test_set = run.run.validates_on_test_set,
                               .selected_on_test_set = run.run.selected_on_test_set});
        }
        ArchitectureFigures& entry = entries[place->second];
        entry.runs.push_back(i);
        entry.finished += run.is_finished() ? 1 : 0;
    }
    return entries;
}

// Two designs of one name: the runs' short hashes tell them apart.
void tell_apart(const Runs& runs, std::vector<ArchitectureFigures>& entries) {
    std::map<std::string, int> uses;
    for (const ArchitectureFigures& entry : entries) ++uses[entry.name];
    for (ArchitectureFigures& entry : entries) {
        const std::string& run = runs[entry.runs.front()].run.run;
        if (uses[entry.name] > 1) entry.name += run.substr(std::min(run.rfind('-'), run.size()));
    }
}

// The whole training took place as planned and its last weights were tested: the watched figures
// changed nothing, however closely they were watched.
bool is_untouched(const RunFigures& run) {
    return run.is_finished() && run.test_accuracy && run.weights_epoch == run.run.epochs;
}

std::optional<CleanFigure> clean_figure(const Runs& runs,
                                        const std::vector<ArchitectureFigures>& entries,
                                        const ArchitectureFigures& entry) {
    if (!entry.selected_on_test_set) return std::nullopt;
    const std::vector<std::size_t> counted = counted_runs(runs, entry);
    if (!counted.empty() &&
        std::ranges::all_of(counted, [&](std::size_t i) { return is_untouched(runs[i]); })) {
        return CleanFigure{entry.test_accuracy.estimate.mean,
                           "the last of all planned epochs, which nothing chose"};
    }
    const storage::RunRow& own = runs[entry.runs.front()].run;
    for (const ArchitectureFigures& other : entries) {
        const storage::RunRow& row = runs[other.runs.front()].run;
        const bool is_same_network = row.architecture == own.architecture &&
                                     other.test_set == entry.test_set && !other.is_preliminary;
        if (!is_same_network || other.selected_on_test_set) continue;
        if (other.test_accuracy.estimate.count == 0) continue;
        return CleanFigure{other.test_accuracy.estimate.mean,
                           other.name + ", the same network, not selected on the test set"};
    }
    return std::nullopt;
}

void sort_by_accuracy(const Runs& runs, std::vector<ArchitectureFigures>& entries) {
    std::map<TestSet, std::size_t> order;
    for (const RunFigures& run : runs) order.try_emplace(run.test_set, order.size());
    const auto key = [&](const ArchitectureFigures& entry) {
        const Estimate& estimate = entry.test_accuracy.estimate;
        return std::pair(order.at(entry.test_set), estimate.count > 0 ? -estimate.mean : 1.0);
    };
    std::ranges::stable_sort(entries, {}, key);
}

}  // namespace

std::vector<ArchitectureFigures> leaderboard(const Runs& runs) {
    std::vector<ArchitectureFigures> entries = grouped(runs);
    tell_apart(runs, entries);
    for (ArchitectureFigures& entry : entries) {
        std::ranges::stable_sort(entry.runs, {}, [&](std::size_t i) { return runs[i].run.seed; });
        entry.is_preliminary = entry.finished == 0;
        entry.state = state_of(runs, entry);
        add_figures(runs, entry);
    }
    for (ArchitectureFigures& entry : entries) entry.clean = clean_figure(runs, entries, entry);
    sort_by_accuracy(runs, entries);
    return entries;
}

}  // namespace lockstep::reports
