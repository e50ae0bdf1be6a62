#include "reports/figures/selection.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "reports/figures/effects.hpp"
#include "reports/figures/statistics.hpp"

namespace lockstep::reports {
namespace {

using Runs = std::vector<RunFigures>;

bool is_candidate(const ArchitectureFigures& entry) {
    return !entry.is_preliminary && entry.test_accuracy.estimate.count > 0;
}

// The pooled variance of one run, and from it that of an entry's mean.
std::optional<double> deviation_of_means(const std::vector<const ArchitectureFigures*>& entries) {
    double squares = 0.0;
    double parts = 0.0;  // of 1 / seeds
    int degrees = 0;
    for (const ArchitectureFigures* entry : entries) {
        const Estimate& estimate = entry->test_accuracy.estimate;
        parts += 1.0 / estimate.count;
        if (!estimate.deviation) continue;
        squares += *estimate.deviation * *estimate.deviation * (estimate.count - 1);
        degrees += estimate.count - 1;
    }
    if (degrees == 0) return std::nullopt;
    return std::sqrt(squares / degrees * parts / static_cast<double>(entries.size()));
}

// None if a finished run has none.
std::optional<double> mean_val_accuracy(const Runs& runs, const ArchitectureFigures& entry) {
    double sum = 0.0;
    int count = 0;
    for (const std::size_t run : entry.runs) {
        if (!runs[run].is_finished()) continue;
        const auto accuracy = own_val_accuracy(runs[run]);
        if (!accuracy || !std::isfinite(*accuracy)) return std::nullopt;
        sum += *accuracy;
        ++count;
    }
    if (count == 0) return std::nullopt;
    return sum / count;
}

void choose_by_validation(const Runs& runs, const std::vector<ArchitectureFigures>& entries,
                          const std::vector<const ArchitectureFigures*>& candidates,
                          Selection& selection) {
    std::optional<std::size_t> best;
    bool is_tied = false;
    for (const ArchitectureFigures* entry : candidates) {
        const auto accuracy = mean_val_accuracy(runs, *entry);
        if (!accuracy) return;
        if (best && is_same_figure(*accuracy, selection.validation_accuracy)) is_tied = true;
        if (best && *accuracy <= selection.validation_accuracy) continue;
        if (best && !is_same_figure(*accuracy, selection.validation_accuracy)) is_tied = false;
        best = static_cast<std::size_t>(entry - entries.data());
        selection.validation_accuracy = *accuracy;
    }
    selection.is_tied = is_tied;
    if (!is_tied) selection.by_validation = best;
}

}  // namespace

std::optional<double> own_val_accuracy(const RunFigures& run) {
    if (run.run.validates_on_test_set) return std::nullopt;
    for (const EpochFigures& epoch : run.epochs) {
        if (run.weights_epoch == epoch.epoch) return epoch.val_accuracy;
    }
    return run.val_accuracy.final;
}

std::vector<Selection> selections(const Runs& runs,
                                  const std::vector<ArchitectureFigures>& entries) {
    std::map<TestSet, std::vector<const ArchitectureFigures*>> by_test_set;
    for (const ArchitectureFigures& entry : entries) {
        if (is_candidate(entry)) by_test_set[entry.test_set].push_back(&entry);
    }
    std::vector<Selection> all;
    for (const auto& [test_set, candidates] : by_test_set) {
        if (candidates.size() < kSelectedFrom) continue;
        Selection selection;
        selection.first = static_cast<std::size_t>(candidates.front() - entries.data());
        selection.candidates = candidates.size();
        for (const ArchitectureFigures* entry : candidates) {
            selection.runs += static_cast<std::size_t>(entry->finished);
        }
        if (const auto deviation = deviation_of_means(candidates)) {
            selection.expected_excess = expected_maximum(candidates.size()) * *deviation;
        }
        choose_by_validation(runs, entries, candidates, selection);
        all.push_back(selection);
    }
    std::ranges::sort(all, {}, &Selection::first);
    return all;
}

}  // namespace lockstep::reports
