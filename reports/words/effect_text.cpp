#include "reports/words/effect_text.hpp"

#include <fmt/format.h>

#include "reports/words/number_text.hpp"

namespace lockstep::reports {

namespace {

std::string tested_text(const Effects& effects, const Effect& effect,
                        std::optional<double> p_value) {
    if (effect.f) {
        return is_beyond_noise(effect, p_value) ? "larger than seed noise"
                                                : "not larger than seed noise";
    }
    if (effects.seeds.degrees == 0) return "no test: no second seed of any combination";
    if (effects.seeds.squares == 0.0) return "no test: seeds agree to the last image";
    return "no test";
}

}  // namespace

std::string share_text(const Effect& effect) {
    if (!effect.share) return kNoFigure;
    const double percent = 100.0 * *effect.share;
    if (percent > 0.0 && percent < 0.1) return "under 0.1 %";
    return fmt::format("{:.1f} %", percent);
}

bool is_beyond_noise(const Effect& effect, std::optional<double> p_value) {
    return effect.f && p_value && *p_value < kSignificance;
}

std::string effect_verdict(const Effects& effects, const Effect& effect,
                           std::optional<double> p_value) {
    if (effect.is_confounded) return "no figure: changed only together with others";
    const char* partly =
        effect.is_partial ? "; values that changed only with other settings are not in it" : "";
    return tested_text(effects, effect, p_value) + partly;
}

std::string f_text(const Effects& effects, const Effect& effect) {
    if (!effect.f) return kNoFigure;
    return fmt::format("{:.2f} ({}, {})", *effect.f, effect.degrees, effects.seeds.degrees);
}

std::string effect_p_text(const Effect& effect, std::optional<double> p_value) {
    return effect.f && p_value ? p_value_text(*p_value) : kNoFigure;
}

bool is_shown_together(const Effects& effects) {
    constexpr double kLeast = 0.0005;  // 0.1 %, rounded
    return effects.together.share && *effects.together.share >= kLeast;
}

std::string interactions_text(const Effects& effects) {
    return effects.seeds.degrees > 0 ? "interactions" : "interactions and seeds";
}

std::string scatter_warning(double largest_deviation, std::optional<double> unequal_p_value) {
    if (!unequal_p_value || *unequal_p_value >= kSignificance) return {};
    return fmt::format(
        "Seeds do not scatter alike: by {} at most (Cochran’s test, p {}), so take tests with "
        "their common noise with care.",
        figure_text(largest_deviation), p_value_text(*unequal_p_value));
}

}  // namespace lockstep::reports
