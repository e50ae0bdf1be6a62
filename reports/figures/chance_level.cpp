#include "reports/figures/chance_level.hpp"

#include <algorithm>

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
    const auto is_tested = [&](std::size_t run) {
        return runs[run].is_finished() && runs[run].test_accuracy.has_value();
    };
    return std::ranges::any_of(entry.runs, is_tested) &&
           std::ranges::all_of(entry.runs, [&](std::size_t run) {
               return !is_tested(run) || is_at_chance(runs[run]);
           });
}

}  // namespace lockstep::reports
