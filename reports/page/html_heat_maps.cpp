// Heat maps: mean test accuracy by the values of two settings.

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "reports/page/html_elements.hpp"
#include "reports/page/html_settings.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/setting_text.hpp"

namespace lockstep::reports {
namespace {

struct Extent {
    double low = 0.0;
    double high = 0.0;
    int shade(double value) const {
        if (!(high > low)) return 1;
        return 1 + std::min(5, static_cast<int>((value - low) / (high - low) * 6.0));
    }
};

std::string pair_name(const Sweep& sweep, const SettingPair& pair) {
    return sweep.settings[pair.first].name.name + " × " + sweep.settings[pair.second].name.name;
}

std::vector<LevelMean> means_of(const Sweep& sweep, const SettingPair& pair) {
    return pair_means(sweep.settings[pair.first].factor, sweep.settings[pair.second].factor,
                      sweep.accuracies);
}

std::string heat_map(const Sweep& sweep, const SettingPair& pair, const Extent& extent) {
    const SweptSetting& down = sweep.settings[pair.first];
    const SweptSetting& across = sweep.settings[pair.second];
    const std::vector<LevelMean> means = means_of(sweep, pair);
    HtmlTable table(pair_name(sweep, pair) + ": mean test accuracy");
    table.text_column(down.name.name + " ↓  " + across.name.name + " →").css("map");
    for (const storage::Cell& level : across.levels) {
        table.number_column(shortened(value_text(level), 24));
    }
    for (std::size_t i = 0; i < down.levels.size(); ++i) {
        table.row(html_text(value_text(down.levels[i])));
        for (std::size_t j = 0; j < across.levels.size(); ++j) {
            const LevelMean& mean = means[i * across.levels.size() + j];
            if (mean.runs == 0) {
                table.number_html(kNoFigure, "zero");
                continue;
            }
            table.number_html(
                fmt::format("{}<small>{}</small>", figure_text(mean.mean),
                            mean.runs == 1 ? "1 run" : fmt::format("{} runs", mean.runs)),
                fmt::format("h{}", extent.shade(mean.mean)));
        }
    }
    return table.markup();
}

Extent extent_of(const Sweep& sweep, const std::vector<SettingPair>& pairs) {
    std::vector<double> all;
    for (const SettingPair& pair : pairs) {
        for (const LevelMean& mean : means_of(sweep, pair)) {
            if (mean.runs > 0) all.push_back(mean.mean);
        }
    }
    const auto [low, high] = std::ranges::minmax(all);
    return {low, high};
}

std::string left_out(const Sweep& sweep, const std::vector<SettingPair>& pairs) {
    constexpr std::size_t kNamed = 12;
    if (pairs.empty()) return {};
    std::string names;
    for (std::size_t i = 0; i < std::min(pairs.size(), kNamed); ++i) {
        names += (i == 0 ? "" : "; ") + html_text(pair_name(sweep, pairs[i]));
    }
    if (pairs.size() > kNamed) names += fmt::format("; and {} more", pairs.size() - kNamed);
    return "<p class=\"note\">Left out, because they tell less or have more than " +
           fmt::format("{} values a side: {}.</p>\n", kHeatLevels, names);
}

}  // namespace

std::string html_heat_maps(const Sweep& sweep) {
    if (sweep.runs.size() < 2) return {};
    std::vector<SettingPair> shown;
    std::vector<SettingPair> others;
    for (const SettingPair& pair : setting_pairs(sweep)) {
        const bool is_small = sweep.settings[pair.first].levels.size() <= kHeatLevels &&
                              sweep.settings[pair.second].levels.size() <= kHeatLevels;
        (is_small && shown.size() < kHeatMaps ? shown : others).push_back(pair);
    }
    if (shown.empty()) return {};
    const Extent extent = extent_of(sweep, shown);
    std::string maps;
    for (const SettingPair& pair : shown) maps += heat_map(sweep, pair, extent);
    return fmt::format(
        "<h3 class=\"plain\">Two settings at a time</h3>\n<p class=\"note\">Means over all other "
        "settings and seeds; the stronger the colour, the better, from {} to {} in all "
        "maps.</p>\n<div "
        "class=\"maps\">{}</div>\n{}",
        figure_text(extent.low), figure_text(extent.high), maps, left_out(sweep, others));
}

}  // namespace lockstep::reports
