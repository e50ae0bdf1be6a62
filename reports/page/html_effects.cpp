// Which setting mattered: the analysis of variance in a table and in words.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "reports/page/html_elements.hpp"
#include "reports/page/html_settings.hpp"
#include "reports/words/effect_text.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/setting_text.hpp"

namespace lockstep::reports {
namespace {

std::string share_cell(const Effect& effect) {
    if (!effect.share) return kNoFigure;
    return fmt::format(
        "<data value=\"{0:.6f}\">{1}</data><svg class=\"bar\" viewBox=\"0 0 100 6\" "
        "preserveAspectRatio=\"none\" aria-hidden=\"true\"><path class=\"axis\" "
        "d=\"M0 6H100\"/><rect class=\"share s0\" width=\"{2:.1f}\" height=\"5\"/></svg>",
        *effect.share, share_text(effect), 100.0 * std::min(1.0, *effect.share));
}

// Share and verdict come first: narrow screens show the left columns.
void add_share(const Effects& effects, const Effect& effect, std::optional<double> p_value,
               HtmlTable& table) {
    const bool is_real = is_beyond_noise(effect, p_value);
    table.number_html(share_cell(effect))
        .html(fmt::format("<span class=\"{}\">{}</span>", is_real ? "good" : "soft",
                          effect_verdict(effects, effect, p_value)));
}

void add_test(const Effects& effects, const Effect& effect, std::optional<double> p_value,
              HtmlTable& table) {
    table.number(f_text(effects, effect)).number(effect_p_text(effect, p_value));
}

void add_no_means(HtmlTable& table) {
    for (int column = 0; column < 3; ++column) table.number(kNoFigure);
}

// "0.5912 at 0.03"
std::string level_cell(const SweptSetting& setting, const LevelMean& mean,
                       const std::vector<LevelMean>& means) {
    const auto level = static_cast<std::size_t>(&mean - means.data());
    return fmt::format("{}<small>{}</small>", figure_text(mean.mean),
                       html_text(shortened(value_text(setting.levels[level]), 24)));
}

HtmlTable effects_table(const Sweep& sweep) {
    const Effects& effects = *sweep.effects;
    HtmlTable table("Where the spread of test accuracy comes from", HtmlTable::Width::page);
    table.css("effects")
        .text_column("setting")
        .number_column("share of variance")
        .text_column("verdict")
        .number_column("best mean, at")
        .number_column("worst mean, at")
        .number_column("apart")
        .number_column("F (degrees)")
        .number_column("p after Holm");
    for (std::size_t i = 0; i < sweep.settings.size(); ++i) {
        const SweptSetting& setting = sweep.settings[i];
        const Effect& effect = effects.factors[i];
        const std::vector<LevelMean> means = level_means(setting.factor, sweep.accuracies);
        const auto [worst, best] = std::ranges::minmax_element(means, {}, &LevelMean::mean);
        table.row(html_text(setting_text(setting)));
        add_share(effects, effect, effect.adjusted_p_value, table);
        table.number_html(level_cell(setting, *best, means))
            .number_html(level_cell(setting, *worst, means))
            .number(figure_text(best->mean - worst->mean));
        add_test(effects, effect, effect.adjusted_p_value, table);
    }
    if (is_shown_together(effects)) {
        table.row("several settings together")
            .number_html(share_cell(effects.together))
            .html("<span class=\"soft\">cannot be told apart: they changed together</span>");
        add_no_means(table);
        table.number(kNoFigure).number(kNoFigure);
    }
    if (effects.interactions.degrees > 0) {
        const Effect& interactions = effects.interactions;
        table.row(interactions_text(effects));
        add_share(effects, interactions, interactions.adjusted_p_value, table);
        add_no_means(table);
        add_test(effects, interactions, interactions.adjusted_p_value, table);
    }
    if (effects.seeds.share) {
        table.row("seeds")
            .number_html(share_cell(effects.seeds))
            .html(fmt::format("<span class=\"soft\">the noise: standard deviation {}</span>",
                              figure_text(*effects.seed_deviation)));
        add_no_means(table);
        table.number(kNoFigure).number(kNoFigure);
    }
    return table;
}

// Names of settings that a condition holds for.
template <class Holds>
std::string names_where(const Sweep& sweep, Holds holds) {
    std::string names;
    for (std::size_t i = 0; i < sweep.settings.size(); ++i) {
        if (!holds(sweep.effects->factors[i])) continue;
        names += (names.empty() ? "" : ", ") + html_text(setting_text(sweep.settings[i]));
    }
    return names;
}

std::string first_sentence(const Sweep& sweep) {
    const auto& factors = sweep.effects->factors;
    const Effect* most = nullptr;
    std::size_t place = 0;
    for (std::size_t i = 0; i < factors.size(); ++i) {
        if (!factors[i].share || (most != nullptr && *factors[i].share <= *most->share)) continue;
        most = &factors[i];
        place = i;
    }
    if (most == nullptr) {
        return sweep.effects->total > 0.0
                   ? "<b>This cannot be told</b>: the settings changed only together, or nearly "
                     "every run has values of its own."
                   : "<b>Nothing mattered</b>: all runs have the same test accuracy.";
    }
    const std::string name = html_text(setting_text(sweep.settings[place]));
    const Effect& together = sweep.effects->together;
    if (together.share && *together.share >= *most->share) {
        return fmt::format(
            "<b>No setting can be singled out</b>: {} of the variance of test accuracy lies "
            "between values of settings that changed together, more than in any one alone (the "
            "largest share is that of {}, {}). A report of one experiment, or of fewer runs "
            "(<code>--where</code>), may tell.",
            share_text(together), name, share_text(*most));
    }
    if (most->f && !is_beyond_noise(*most, most->adjusted_p_value)) {
        return "<b>No setting had an effect larger than seed noise</b>" +
               fmt::format(" (the largest share is that of {}, {}).", name, share_text(*most));
    }
    return fmt::format(
        "<b>{} {}</b>: {}{} of the variance of test accuracy lies between its values{}.", name,
        most->f ? "mattered most" : "has the largest share", most->is_partial ? "at least " : "",
        share_text(*most), most->f ? ", beyond what seeds explain" : "");
}

// "They are those of a × b (1.4 %, p 0.0210, Holm-corrected over 3 pairs)."
std::string interacting_pairs(const Sweep& sweep) {
    std::vector<Factor> factors;
    for (const SweptSetting& setting : sweep.settings) factors.push_back(setting.factor);
    const std::vector<PairEffect> pairs = pair_effects(factors, sweep.accuracies, *sweep.effects);
    if (pairs.empty()) return "Which ones cannot be told from these runs.";
    std::string names;
    for (const PairEffect& pair : pairs) {
        if (!is_beyond_noise(pair, pair.adjusted_p_value)) continue;
        names += fmt::format("{}{} × {} ({}, p {})", names.empty() ? "" : ", ",
                             html_text(sweep.settings[pair.first].name.name),
                             html_text(sweep.settings[pair.second].name.name), share_text(pair),
                             html_text(effect_p_text(pair, pair.adjusted_p_value)));
    }
    const std::string family =
        pairs.size() == 1 ? "" : fmt::format(", Holm-corrected over {} pairs", pairs.size());
    return names.empty() ? "No single pair of settings stands out" + family + '.'
                         : "It is so of " + names + family + '.';
}

std::string summary(const Sweep& sweep) {
    const Effects& effects = *sweep.effects;
    std::string text = "<p>" + first_sentence(sweep);
    const std::string small = names_where(sweep, [](const Effect& effect) {
        return effect.f && !is_beyond_noise(effect, effect.adjusted_p_value);
    });
    const std::string unknown =
        names_where(sweep, [](const Effect& effect) { return effect.is_confounded; });
    if (!small.empty()) text += " Not larger than seed noise: " + small + '.';
    if (!unknown.empty()) {
        text += " Without a share, since nothing tells them from other settings: " + unknown +
                "; a report of fewer runs (<code>--where</code>) may tell.";
    }
    if (is_beyond_noise(effects.interactions, effects.interactions.adjusted_p_value)) {
        text += fmt::format(
            " Interactions ({}) are beyond noise: what one setting does depends on others. {}",
            share_text(effects.interactions), interacting_pairs(sweep));
    }
    if (effects.seeds.degrees == 0) {
        text +=
            " No combination was trained with a second seed, so nothing says whether these "
            "differences are more than seed noise: shares are what happened to these runs.";
        if (effects.interactions.share) {
            text += fmt::format(
                " {} is due to no setting alone, but to interactions and seeds, which these runs "
                "cannot tell apart.",
                share_text(effects.interactions));
        }
    } else if (effects.seed_deviation.value_or(0.0) > 0.0) {
        text += fmt::format(
            " Seed noise: one run scatters by {} (standard deviation, {} degrees of freedom) "
            "around the mean of its settings.",
            figure_text(*effects.seed_deviation), effects.seeds.degrees);
        const std::string warning =
            scatter_warning(effects.largest_deviation, effects.unequal_p_value);
        if (!warning.empty()) text += " <b class=\"warn\">" + warning + "</b>";
    }
    return text + "</p>\n";
}

std::string method(const Effects& effects) {
    return fmt::format(
        "<p class=\"note\">Analysis of variance over {} runs of {} combinations, {}.{}</p>\n",
        effects.runs, effects.combinations,
        effects.is_complete
            ? "a complete grid with equally many runs each, so that the shares add up to 100 %"
            : "no complete grid with equally many runs each: a share is what a setting adds to "
              "the main effects of the others, and shares need not add up to 100 %",
        effects.seed_deviation.value_or(0.0) > 0.0
            ? " A share says how much, the F test against the scatter of seeds whether; it "
              "supposes that seeds scatter alike everywhere. p is Holm-corrected over all tests of "
              "this table."
            : "");
}

}  // namespace

std::string html_effects(const Sweep& sweep) {
    if (!tells_effects(sweep)) return {};
    return "<h3 class=\"plain\" id=\"effects\">Which setting mattered?</h3>\n" + summary(sweep) +
           effects_table(sweep).markup() + method(*sweep.effects);
}

}  // namespace lockstep::reports
