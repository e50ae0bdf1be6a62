#include "reports/figures/next_steps.hpp"

#include <algorithm>
#include <variant>

#include "reports/figures/statistics.hpp"

namespace lockstep::reports {
namespace {

bool is_nothing(const storage::Cell& cell) { return std::holds_alternative<std::monostate>(cell); }

bool is_zero(const storage::Cell& cell) {
    const auto* whole = std::get_if<std::int64_t>(&cell);
    const auto* real = std::get_if<double>(&cell);
    return (whole != nullptr && *whole == 0) || (real != nullptr && *real == 0.0);
}

// Not refuted by seeds.
bool may_matter(const Effect& effect) {
    if (!effect.share) return false;
    return !effect.adjusted_p_value || *effect.adjusted_p_value < kSignificance;
}

bool is_rising(const RunFigures& run) {
    const std::optional<double> last = run.epochs.back().val_accuracy;
    return std::all_of(run.epochs.begin(), run.epochs.end() - 1,
                       [&](const EpochFigures& epoch) { return *epoch.val_accuracy < *last; });
}

}  // namespace

std::vector<EdgeSetting> settings_at_an_edge(const Sweep& sweep) {
    std::vector<EdgeSetting> found;
    if (!sweep.effects) return found;
    for (std::size_t i = 0; i < sweep.settings.size(); ++i) {
        const SweptSetting& setting = sweep.settings[i];
        const std::size_t first = is_nothing(setting.levels.front()) ? 1 : 0;
        const bool has_edges = setting.is_numeric && setting.levels.size() >= first + 2;
        if (!has_edges || !may_matter(sweep.effects->factors[i])) continue;
        const std::vector<LevelMean> means = level_means(setting.factor, sweep.accuracies);
        const auto best = static_cast<std::size_t>(
            std::ranges::max_element(means, {}, &LevelMean::mean) - means.begin());
        if (best + 1 == setting.levels.size()) found.push_back({i, best, true});
        if (best == first && !is_zero(setting.levels[best])) found.push_back({i, best, false});
    }
    return found;
}

LastEpochs last_epochs(const std::vector<RunFigures>& runs, std::span<const std::size_t> places) {
    LastEpochs counted;
    for (const std::size_t place : places) {
        const RunFigures& run = runs[place];
        const bool is_whole = run.is_finished() && run.epochs.size() > 1 &&
                              static_cast<int>(run.epochs.size()) == run.run.epochs;
        const bool has_validated = std::ranges::all_of(
            run.epochs, [](const EpochFigures& epoch) { return epoch.val_accuracy.has_value(); });
        if (!is_whole || !has_validated) continue;
        ++counted.runs;
        counted.rising += is_rising(run) ? 1 : 0;
    }
    return counted;
}

}  // namespace lockstep::reports
