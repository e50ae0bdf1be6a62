#include "reports/figures/leaderboard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <span>
#include <utility>

namespace lockstep::reports {
namespace {

using storage::RunState;
using Runs = std::vector<RunFigures>;
using Pick = std::function<std::optional<double>(const RunFigures&)>;

Estimate estimate(const Runs& runs, std::span<const std::size_t> counted, const Pick& pick) {
    std::vector<double> values;
    for (const std::size_t i : counted) {
        if (const auto value = pick(runs[i])) values.push_back(*value);
    }
    return estimate_of(values);
}

// The one run's figure as a count, where it is one. A training accuracy is a running mean over
// changing weights, and the best of several epochs a maximum: no proportion of one network.
std::optional<Interval> of_one_run(const RunFigures& run, const std::string& metric) {
    if (metric == "test_accuracy") return run.test_interval;
    if (metric != "val_accuracy" || !run.val_accuracy.final) return std::nullopt;
    const auto right = proportion_of(*run.val_accuracy.final, run.run.validation_samples);
    if (!right) return std::nullopt;
    return wilson_interval(right->successes, right->trials);
}

std::string why_none(const RunFigures& run, const std::string& metric, int seeds) {
    if (seeds > 1) return fmt::format("all {} seeds give the same figure", seeds);
    if (metric == "accuracy") return "a training accuracy is a mean over changing weights";
    if (metric == "best_val_accuracy") return "the best of several epochs is a maximum";
    if (metric == "test_accuracy" && run.run.selected_on_test_set) {
        return "its epoch was chosen by the test set";
    }
    return "the number of images is not known";
}

// The t interval knows nothing of where accuracies end; what it says beyond is empty.
Interval within_fractions(const Interval& interval) {
    return {std::clamp(interval.low, 0.0, 1.0), std::clamp(interval.high, 0.0, 1.0)};
}

Measured measured(const Runs& runs, std::span<const std::size_t> counted, const Pick& pick,
                  const std::string& metric) {
    Measured result{estimate(runs, counted, pick), std::nullopt, IntervalKind::none, {}};
    if (result.estimate.count == 0) return result;
    // Of several runs one alone may have the figure: then it is no figure over seeds.
    const auto has_it = [&](std::size_t i) {
        const auto value = pick(runs[i]);
        return value && std::isfinite(*value);
    };
    const RunFigures& run = runs[*std::ranges::find_if(counted, has_it)];
    if (result.estimate.interval) {
        result.interval = within_fractions(*result.estimate.interval);
        result.kind = IntervalKind::over_seeds;
    } else if (result.estimate.count == 1) {
        result.interval = of_one_run(run, metric);
        if (result.interval) result.kind = IntervalKind::of_one_run;
    }
    if (!result.interval) result.why_none = why_none(run, metric, result.estimate.count);
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
    entry.test_top_5_accuracy = mean([](const RunFigures& run) { return run.test_top_5_accuracy; });
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
    for (const std::size_t i : counted) entry.stopped_seconds += runs[i].stopped_seconds;
    entry.printed = compare_printed(runs, entry, counted);
}

std::set<std::string> experiments_of(const Runs& runs, const ArchitectureFigures& entry) {
    std::set<std::string> experiments;
    const auto add = [&](std::size_t run) {
        experiments.insert(runs[run].experiments.begin(), runs[run].experiments.end());
    };
    std::ranges::for_each(entry.runs, add);
    for (const RepeatedRun& repeat : entry.repeats) add(repeat.run);
    return experiments;
}

std::vector<ArchitectureFigures> grouped(const Runs& runs) {
    std::vector<ArchitectureFigures> entries;
    for (SeedGroup& group : seed_groups(runs)) {
        const storage::RunRow& run = runs[group.runs.front()].run;
        ArchitectureFigures entry{.name = std::move(group.name),
                                  .source = run.source,
                                  .design_name = runs[group.runs.front()].design_name,
                                  .design = std::move(group.design),
                                  .test_set = std::move(group.test_set),
                                  .runs = std::move(group.runs),
                                  .repeats = std::move(group.repeats),
                                  .validates_on_test_set = run.validates_on_test_set,
                                  .selected_on_test_set = run.selected_on_test_set};
        entry.finished = static_cast<int>(std::ranges::count_if(
            entry.runs, [&](std::size_t i) { return runs[i].is_finished(); }));
        entry.is_preliminary = entry.finished == 0;
        entry.experiments = experiments_of(runs, entry);
        entry.state = state_of(runs, entry);
        entries.push_back(std::move(entry));
    }
    return entries;
}

bool restores_best_weights(const RunFigures& run) {
    return value_of(run.config, "train.early_stopping.restore_best_weights") == "true" ||
           value_of(run.config, "checkpoint.restore_best_weights") == "true";
}

// The whole training took place as planned and its last weights were tested: the watched figures
// changed nothing, however closely they were watched. Where the best weights are restored, the last
// epoch may have won the selection.
bool is_untouched(const RunFigures& run) {
    return run.is_finished() && run.test_accuracy && run.weights_epoch == run.run.epochs &&
           !restores_best_weights(run);
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
    const RunFigures& own = runs[entry.runs.front()];
    for (const ArchitectureFigures& other : entries) {
        const RunFigures& first = runs[other.runs.front()];
        const bool is_same_but_for_that = first.unselected_settings == own.unselected_settings &&
                                          other.test_set == entry.test_set && !other.is_preliminary;
        if (!is_same_but_for_that || other.selected_on_test_set) continue;
        if (other.test_accuracy.estimate.count == 0) continue;
        return CleanFigure{other.test_accuracy.estimate.mean,
                           other.name + ", the same settings, not selected on the test set"};
    }
    return std::nullopt;
}

// Means that differ by a rounding are equal.
double rank_of(const Estimate& accuracy) {
    return accuracy.count > 0 ? -std::round(accuracy.mean * 1e12) : 1.0;
}

void sort_by_accuracy(std::vector<ArchitectureFigures>& entries) {
    std::map<TestSet, std::size_t> order;
    for (const ArchitectureFigures& entry : entries) {
        order.try_emplace(entry.test_set, order.size());
    }
    std::ranges::stable_sort(entries, {}, [&](const ArchitectureFigures& entry) {
        return std::pair(order.at(entry.test_set), rank_of(entry.test_accuracy.estimate));
    });
}

}  // namespace

std::vector<std::size_t> counted_runs(const Runs& runs, const ArchitectureFigures& entry) {
    std::vector<std::size_t> counted;
    for (const std::size_t i : entry.runs) {
        const bool counts = entry.is_preliminary ? runs[i].has_epochs() : runs[i].is_finished();
        if (counts) counted.push_back(i);
    }
    return counted;
}

std::vector<std::size_t> places_of_trainings(const std::vector<ArchitectureFigures>& entries) {
    std::vector<std::size_t> places;
    for (const ArchitectureFigures& entry : entries)
        places.insert(places.end(), entry.runs.begin(), entry.runs.end());
    return places;
}

std::vector<ArchitectureFigures> leaderboard(const Runs& runs) {
    std::vector<ArchitectureFigures> entries = grouped(runs);
    for (ArchitectureFigures& entry : entries) add_figures(runs, entry);
    for (ArchitectureFigures& entry : entries) entry.clean = clean_figure(runs, entries, entry);
    sort_by_accuracy(entries);
    return entries;
}

}  // namespace lockstep::reports
