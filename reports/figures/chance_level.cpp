#include "reports/figures/chance_level.hpp"

namespace lockstep::reports {

std::optional<double> chance_level(const TestSet& set) {
    if (set.classes.empty()) return std::nullopt;
    return 1.0 / static_cast<double>(set.classes.size());
}

bool is_at_chance(const RunFigures& run) {
    const auto chance = chance_level(run.test_set);
    if (!chance || !run.test_accuracy) return false;
    // Also where the weights were selected on these images: that only makes figures higher.
    if (run.test_right) {
        const auto interval = wilson_interval(run.test_right->successes, run.test_right->trials);
        if (interval) return interval->low <= *chance;
    }
    return *run.test_accuracy <= *chance;
}

bool is_at_chance(const ArchitectureFigures& entry, const std::vector<RunFigures>& runs) {
    const auto chance = chance_level(entry.test_set);
    if (!chance || entry.test_accuracy.estimate.count == 0) return false;
    if (entry.runs.size() == 1) return is_at_chance(runs[entry.runs.front()]);
    const Measured& measured = entry.test_accuracy;
    return (measured.interval ? measured.interval->low : measured.estimate.mean) <= *chance;
}

}  // namespace lockstep::reports
