#pragma once

// Figures as people read them, the same in HTML and Markdown.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "reports/figures/statistics.hpp"

namespace lockstep::reports {

inline constexpr const char* kNoFigure = "–";  // what does not exist

std::string thousands(std::int64_t number);    // 552,362
std::string ordinal_text(std::size_t number);  // 1st, 2nd, 11th
std::string figure_text(double value);         // 0.6645; NaN, inf; 1.2e+30 where it is large
std::string figure_text(std::optional<double> value);
std::string mean_text(const Estimate& estimate);      // of the mean; kNoFigure of none
std::string interval_text(const Interval& interval);  // 0.6551 to 0.6737
std::string signed_text(double value);                // +0.0123, −0.0040
std::string duration_text(double seconds);            // 0.12 s, 42.5 s, 2 min 42 s, 3 h 05 min
std::string rough_duration(double seconds);           // 40 s, 14 min, 3.2 h: an estimate
// Images per second: 1,234; "1,234 (disturbed)" where a rank stood still meanwhile.
std::string rate_text(double images_per_second, double stopped_seconds);
std::string p_value_text(double p_value);    // 0.034, < 0.0001
std::string flops_text(std::int64_t flops);  // 3.86 M, 1.20 G

}  // namespace lockstep::reports
