#include "reports/page/html_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "reports/charts/setting_axis.hpp"
#include "reports/charts/sweep_charts.hpp"
#include "reports/figures/chance_level.hpp"
#include "reports/figures/next_steps.hpp"
#include "reports/page/html_elements.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/setting_text.hpp"
#include "reports/words/test_set_text.hpp"

namespace lockstep::reports {
namespace {

std::string values_text(const std::vector<storage::Cell>& values) {
    constexpr std::size_t kShown = 8;
    std::string text;
    for (std::size_t i = 0; i < std::min(values.size(), kShown); ++i) {
        text += (i == 0 ? "" : ", ") + shortened(value_text(values[i]), 40);
    }
    if (values.size() > kShown) text += fmt::format(" … {} values", values.size());
    return text;
}

// Of a setting that the compared runs have one value of: it, and what the other runs have.
std::string one_value_text(const SweptSetting& setting) {
    std::vector<storage::Cell> elsewhere;
    for (const storage::Cell& value : setting.values) {
        const bool is_known = std::ranges::find(setting.levels, value) != setting.levels.end() ||
                              std::ranges::find(elsewhere, value) != elsewhere.end();
        if (!is_known) elsewhere.push_back(value);
    }
    if (setting.levels.empty() || elsewhere.empty())
        return values_text(setting.levels.empty() ? elsewhere : setting.levels);
    return fmt::format("{}; in runs left out {}", values_text(setting.levels),
                       values_text(elsewhere));
}

// Settings whose axes can be read on paper, and on a screen of 768 pixels.
constexpr std::size_t kNarrowAxes = 5;

std::string full_key(const SettingName& name) {
    if (name.key == kNetworkKey) return "all <code>layers</code>";
    return "<code>" + html_text(name.key) + "</code>";
}

std::string followers(const SweptSetting& setting) {
    if (setting.followers.empty()) return {};
    std::string keys;
    for (const Follower& each : setting.followers) {
        keys += (keys.empty() ? "" : ", ") + full_key(each.name);
    }
    return "<small>cannot be told from it, since they change only with it: " + keys + "</small>";
}

std::string key_table(const Sweep& sweep) {
    HtmlTable table("Settings that differ, and their values", HtmlTable::Width::content);
    table.text_column("setting").text_column("key").text_column("values").css("keys");
    for (const SweptSetting& setting : sweep.settings) {
        table.row(html_text(setting.name.name))
            .html(full_key(setting.name) + followers(setting))
            .html(html_text(values_text(setting.levels)));
    }
    for (const SweptSetting& setting : sweep.others) {
        table.row(html_text(setting.name.name))
            .html(full_key(setting.name))
            .html(html_text(one_value_text(setting)));
    }
    return table.markup();
}

std::string scope(const Sweep& sweep) {
    std::string text = fmt::format("<p>{} finished runs", sweep.runs.size());
    if (!sweep.runs.empty()) {
        text += fmt::format(" on one test set ({})", html_text(test_set_text(sweep.test_set)));
    }
    if (sweep.unfinished > 0) {
        text += fmt::format("; {} without a result yet are left out", sweep.unfinished);
    }
    if (sweep.other_test_sets > 0) {
        text += fmt::format("; {} on other test sets are left out, since accuracies do not compare",
                            sweep.other_test_sets);
    }
    return text + ".</p>\n";
}

// Five colours, of the lowest accuracies first, with the accuracies that they stand for.
std::string color_legend(const Sweep& sweep) {
    const std::vector<int> colors = outcome_colors(sweep.accuracies);
    std::string items;
    for (int color = 0; color < kOutcomeColors; ++color) {
        std::vector<double> values;
        for (std::size_t i = 0; i < colors.size(); ++i) {
            if (colors[i] == color) values.push_back(sweep.accuracies[i]);
        }
        if (values.empty()) continue;
        const auto [low, high] = std::ranges::minmax(values);
        items += fmt::format(
            "<li><svg viewBox=\"0 0 22 8\" aria-hidden=\"true\"><path class=\"run q{}\" "
            "d=\"M1 4H21\"/></svg>{} to {} ({})</li>",
            color, figure_text(low), figure_text(high), values.size());
    }
    return "<ul class=\"legend\"><li>test accuracy (runs):</li>" + items + "</ul>";
}

std::string drawn_text(const Sweep& sweep) {
    if (sweep.runs.size() <= kSweepLines) return {};
    return fmt::format(" {} of {} runs are drawn, evenly by accuracy.", kSweepLines,
                       sweep.runs.size());
}

std::string parallel_coordinates(const ExperimentReport& report, const Sweep& sweep) {
    if (sweep.settings.size() < 2 || sweep.runs.size() < 2) return {};
    std::string note;
    if (sweep.settings.size() > kSweepAxes) {
        note += fmt::format(" The {} settings that tell most of the spread, of {}.", kSweepAxes,
                            sweep.settings.size());
    }
    note += drawn_text(sweep);
    return "<h3 class=\"plain\">All settings at once</h3>\n"
           "<p class=\"note\">A line a run, coloured by its test accuracy. Runs of one value lie "
           "side by side, the best on top." +
           note +
           fmt::format(
               "</p>\n<figure class=\"sweep{}\" aria-label=\"Settings and test accuracy\">"
               "<figcaption>Settings and test accuracy</figcaption>{}{}</figure>\n"
               "<p class=\"note elsewhere\">It is drawn where the page is wider.</p>\n",
               std::min(sweep.settings.size(), kSweepAxes) > kNarrowAxes ? " many" : "",
               svg_parallel_coordinates(sweep, report.runs), color_legend(sweep));
}

HtmlTable means_table(const Sweep& sweep) {
    HtmlTable table("Test accuracy by value: over all runs that have it");
    table.text_column("setting")
        .text_column("value")
        .number_column("runs")
        .number_column("mean")
        .number_column("lowest")
        .number_column("highest");
    for (std::size_t i = 0; i < std::min(sweep.settings.size(), kSweepAxes); ++i) {
        const SweptSetting& setting = sweep.settings[i];
        const std::vector<LevelMean> means = level_means(setting.factor, sweep.accuracies);
        for (std::size_t level = 0; level < std::min(means.size(), kSweepRows); ++level) {
            table.row(html_text(setting.name.name))
                .html(html_text(value_text(setting.levels[level])))
                .number(fmt::format("{}", means[level].runs))
                .number(figure_text(means[level].mean))
                .number(figure_text(means[level].low))
                .number(figure_text(means[level].high));
        }
    }
    return table;
}

// One setting that only says which architecture it is: the leaderboard has its means.
bool is_leaderboard_again(const Sweep& sweep) {
    return compares_networks(sweep) ||
           (sweep.settings.size() == 1 && sweep.settings.front().levels.size() < 3);
}

bool has_several_seeds(const ExperimentReport& report) {
    return std::ranges::any_of(report.entries,
                               [](const auto& entry) { return entry.runs.size() > 1; });
}

// Of networks side by side: each one's settings. Their runs only where the leaderboard, which has a
// line for all seeds together, does not show them already.
std::string of_networks(const ExperimentReport& report, const Sweep& sweep) {
    return html_architecture_settings(report, sweep) + html_shared_settings(report) +
           html_next_steps(report, sweep) +
           (has_several_seeds(report) ? html_sweep_runs(report, sweep) : "");
}

std::string of_sweep(const ExperimentReport& report, const Sweep& sweep) {
    return scope(sweep) + html_effects(sweep) + html_next_steps(report, sweep) +
           html_setting_plots(report, sweep) + html_heat_maps(sweep) +
           parallel_coordinates(report, sweep) + html_sweep_runs(report, sweep) + key_table(sweep) +
           html_shared_settings(report);
}

}  // namespace

std::string html_setting_plots(const ExperimentReport& report, const Sweep& sweep) {
    if (sweep.settings.empty() || sweep.runs.size() < 2 || is_leaderboard_again(sweep)) return {};
    std::string figures;
    for (std::size_t i = 0; i < std::min(sweep.settings.size(), kSweepAxes); ++i) {
        figures += fmt::format(
            "<figure aria-label=\"{0}\"><figcaption>{0}</figcaption>{1}</figure>\n",
            html_text(setting_text(sweep.settings[i])),
            svg_accuracy_by_setting(sweep, report.runs, i, chance_level(sweep.test_set)));
    }
    const char* css = sweep.settings.size() >= 3 ? "charts sweeps three" : "charts sweeps";
    return fmt::format(
        "<h3 class=\"plain\">Test accuracy against each setting</h3>\n<p class=\"note\">A point a "
        "run, all seeds and all values of the other settings; the bar is the mean of a value."
        "{}</p>\n<div class=\"{}\">{}</div>{}\n{}",
        drawn_text(sweep), css, figures, color_legend(sweep),
        html_details("Test accuracy by value: the figures", means_table(sweep).markup()));
}

std::string html_next_steps(const ExperimentReport& report, const Sweep& sweep) {
    std::string items;
    for (const EdgeSetting& edge : settings_at_an_edge(sweep)) {
        const SweptSetting& setting = sweep.settings[edge.setting];
        items += fmt::format(
            "<li>The best value of <b>{}</b>, {}, is the {} that was tried: the best may lie "
            "beyond.</li>",
            html_text(setting.name.name), html_text(value_text(setting.levels[edge.level])),
            edge.is_largest ? "largest" : "smallest");
    }
    const LastEpochs last = last_epochs(report.runs, places_of_trainings(report.entries));
    if (last.rising > 0) {
        items += fmt::format(
            "<li>Validation accuracy was higher in the last epoch than in any before in <b>{} of "
            "{} runs</b> that trained all their epochs: more epochs may help.</li>",
            last.rising, last.runs);
    }
    if (items.empty()) return {};
    return "<h3 class=\"plain\" id=\"next\">What to try next</h3>\n<ul>" + items + "</ul>\n";
}

std::string html_settings(const ExperimentReport& report, const Sweep& sweep) {
    if (sweep.settings.empty() && sweep.others.empty()) return {};
    return "<h2 id=\"settings\">Settings</h2>\n" +
           (compares_networks(sweep) ? of_networks(report, sweep) : of_sweep(report, sweep));
}

}  // namespace lockstep::reports
