#pragma once

// What an analysis of variance says, in words that HTML and Markdown share.

#include <optional>
#include <string>

#include "reports/figures/effects.hpp"

namespace lockstep::reports {

std::string share_text(const Effect& effect);  // 68.4 %, under 0.1 %, kNoFigure

// Larger than seed noise after correction. Of a part without a test: false.
bool is_beyond_noise(const Effect& effect, std::optional<double> p_value);

// "larger than seed noise", "not larger than seed noise", or why there is no figure or no test.
std::string effect_verdict(const Effects& effects, const Effect& effect,
                           std::optional<double> p_value);

std::string f_text(const Effects& effects, const Effect& effect);                // 14.37 (1, 24)
std::string effect_p_text(const Effect& effect, std::optional<double> p_value);  // 0.0018

// Whether the part of settings that changed together is worth a row.
bool is_shown_together(const Effects& effects);

// "interactions"; with seeds in them where nothing was repeated.
std::string interactions_text(const Effects& effects);

// That seeds do not scatter alike, where unequal_scatter() says so; else "".
std::string scatter_warning(double largest_deviation, std::optional<double> unequal_p_value);

}  // namespace lockstep::reports
