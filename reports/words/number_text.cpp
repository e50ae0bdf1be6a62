#include "reports/words/number_text.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string_view>

namespace lockstep::reports {

std::string thousands(std::int64_t number) {
    std::string text = fmt::format("{}", number);
    const std::size_t first = number < 0 ? 1 : 0;
    for (std::size_t at = text.size(); at > first + 3;) {
        at -= 3;
        text.insert(at, 1, ',');
    }
    return text;
}

std::string ordinal_text(std::size_t number) {
    constexpr std::array<std::string_view, 4> kEnds{"th", "st", "nd", "rd"};
    const std::size_t last = number % 10;
    const bool is_teen = number / 10 % 10 == 1;
    return fmt::format("{}{}", number, kEnds[is_teen || last > 3 ? 0 : last]);
}

std::string figure_text(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "−inf" : "inf";
    if (std::abs(value) >= 1e4) return fmt::format("{:.3g}", value);
    if (value != 0.0 && std::abs(value) < 5e-4) return fmt::format("{:.2e}", value);
    return fmt::format("{:.4f}", value);
}

std::string figure_text(std::optional<double> value) {
    return value ? figure_text(*value) : kNoFigure;
}

std::string mean_text(const Estimate& estimate) {
    return estimate.count > 0 ? figure_text(estimate.mean) : kNoFigure;
}

std::string interval_text(const Interval& interval) {
    return fmt::format("{} to {}", figure_text(interval.low), figure_text(interval.high));
}

std::string signed_text(double value) {
    if (std::isnan(value)) return "NaN";
    return (value < 0 ? "−" : "+") + fmt::format("{:.4f}", std::abs(value));
}

std::string duration_text(double seconds) {
    if (!std::isfinite(seconds)) return kNoFigure;
    if (seconds < 1.0) return fmt::format("{:.2g} s", seconds);
    if (seconds < 99.95) return fmt::format("{:.1f} s", seconds);
    const auto whole = std::llround(seconds);
    if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    const auto minutes = std::llround(seconds / 60);
    return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

std::string rough_duration(double seconds) {
    if (seconds < 90.0) return fmt::format("{:.0f} s", std::ceil(seconds));
    if (seconds < 90.0 * 60.0) return fmt::format("{:.0f} min", seconds / 60.0);
    return fmt::format("{:.1f} h", seconds / 3600.0);
}

std::string rate_text(double images_per_second, double stopped_seconds) {
    return thousands(std::llround(images_per_second)) + (stopped_seconds > 0 ? " (disturbed)" : "");
}

std::string p_value_text(double p_value) {
    return p_value < 1e-4 ? "< 0.0001" : fmt::format("{:.4f}", p_value);
}

std::string flops_text(std::int64_t flops) {
    const auto value = static_cast<double>(flops);
    if (flops >= 1'000'000'000) return fmt::format("{:.2f} G", value / 1e9);
    if (flops >= 1'000'000) return fmt::format("{:.2f} M", value / 1e6);
    return thousands(flops);
}

}  // namespace lockstep::reports
