#include "reports/tables/sweep_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "reports/figures/run_settings.hpp"
#include "reports/tables/setting_columns.hpp"
#include "reports/words/effect_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/setting_text.hpp"

namespace lockstep::reports {
namespace {

using storage::Cell;

// What says too little alone has a word more: optimizer.name, dropout.rate.
std::string shown_name(const SettingsTable& settings, const std::string& key) {
    std::string name = short_name(settings, key);
    const bool is_clear = name.find('.') != std::string::npos ||
                          (name != "name" && name != "type" && !key.starts_with("layers."));
    if (is_clear || name.size() + 2 > key.size()) return name;
    const std::size_t dot = key.rfind('.', key.size() - name.size() - 2);
    return dot == std::string::npos ? key : key.substr(dot + 1);
}

std::string mean_at(const SweptSetting& setting, const std::vector<LevelMean>& means,
                    const LevelMean& mean) {
    const auto level = static_cast<std::size_t>(&mean - means.data());
    return fmt::format("{} at {}", figure_text(mean.mean), value_text(setting.levels[level]));
}

}  // namespace

Sweep report_sweep(const ExperimentReport& report) {
    std::vector<std::vector<RunSetting>> settings;
    for (const RunFigures& run : report.runs) {
        settings.push_back(run_settings(run.run.effective_config));
    }
    storage::Table rows;
    rows.rows.resize(settings.size());
    const SettingsTable table = with_settings(std::move(rows), settings);
    std::vector<SettingName> names;
    for (const std::string& key : differing_settings(table)) {
        names.push_back({key, shown_name(table, key)});
    }
    return sweep_of(report.runs, report.entries, names);
}

storage::Table effects_in_words(const Sweep& sweep) {
    storage::Table table{{"setting", "share of variance", "verdict", "best mean", "worst mean",
                          "F (degrees)", "p after Holm"},
                         {}};
    if (!tells_effects(sweep)) return table;
    const Effects& effects = *sweep.effects;
    const auto row = [&](const std::string& name, const Effect& effect, const std::string& best,
                         const std::string& worst, std::optional<double> p_value) {
        table.rows.push_back({name, share_text(effect), effect_verdict(effects, effect, p_value),
                              best, worst, f_text(effects, effect),
                              effect_p_text(effect, p_value)});
    };
    for (std::size_t i = 0; i < sweep.settings.size(); ++i) {
        const SweptSetting& setting = sweep.settings[i];
        const std::vector<LevelMean> means = level_means(setting.factor, sweep.accuracies);
        const auto [worst, best] = std::ranges::minmax_element(means, {}, &LevelMean::mean);
        row(setting_text(setting), effects.factors[i], mean_at(setting, means, *best),
            mean_at(setting, means, *worst), effects.factors[i].adjusted_p_value);
    }
    if (is_shown_together(effects)) {
        table.rows.push_back(
            {std::string("several settings together"), share_text(effects.together),
             std::string("cannot be told apart: they changed together"), std::string(kNoFigure),
             std::string(kNoFigure), std::string(kNoFigure), std::string(kNoFigure)});
    }
    if (effects.interactions.degrees > 0) {
        row(interactions_text(effects), effects.interactions, kNoFigure, kNoFigure,
            effects.interactions.adjusted_p_value);
    }
    if (effects.seeds.share) {
        table.rows.push_back(
            {std::string("seeds"), share_text(effects.seeds),
             fmt::format("the noise: standard deviation {}", figure_text(*effects.seed_deviation)),
             std::string(kNoFigure), std::string(kNoFigure), std::string(kNoFigure),
             std::string(kNoFigure)});
    }
    return table;
}

}  // namespace lockstep::reports
