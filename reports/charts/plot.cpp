#include "reports/charts/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace lockstep::reports {
namespace {

struct Unit {
    double value;
    const char* letter;
};
constexpr std::array<Unit, 4> kUnits{{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}}};

// The step between round numbers nearest to `wanted`.
double round_step(double wanted) {
    const double power = std::pow(10.0, std::floor(std::log10(wanted)));
    for (const double digit : {1.0, 2.0, 2.5, 5.0}) {
        if (wanted <= digit * power * 1.0000001) return digit * power;
    }
    return 10.0 * power;
}

constexpr std::size_t kFewTicks = 3;  // fewer do not show a scale

// Those inside [low, high] of the given multiples of powers of ten.
std::vector<double> multiples(double low, double high, const std::vector<double>& digits) {
    std::vector<double> ticks;
    for (double power = std::floor(std::log10(low)); power <= std::log10(high) + 1; ++power) {
        for (const double digit : digits) {
            const double tick = digit * std::pow(10.0, power);
            if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.push_back(tick);
        }
    }
    return ticks;
}

// Rounded to so many digits.
double value_of(double value, int digits) {
    if (value == 0.0) return 0.0;
    const double scale = std::pow(10.0, digits - 1 - std::floor(std::log10(std::abs(value))));
    return std::round(value * scale) / scale;
}

std::string rounded(double value, int digits) {
    for (const Unit& unit : kUnits) {
        // What would round to it, too.
        if (std::abs(value) >= unit.value * (1 - 0.5 * std::pow(10.0, -digits))) {
            return fmt::format("{:.{}g}{}", value / unit.value, digits, unit.letter);
        }
    }
    return value == 0.0 ? "0" : fmt::format("{:.{}g}", value, digits);
}

}  // namespace

bool Plot::has_values() const {
    return std::ranges::any_of(series, [](const PlotSeries& each) {
        return std::ranges::any_of(each.points, [](const PlotPoint& point) {
            return std::isfinite(point.x) && std::isfinite(point.y);
        });
    });
}

std::vector<double> linear_ticks(double low, double high, int count) {
    if (!(high > low) || count < 1) return {low};
    const double step = round_step((high - low) / count);
    std::vector<double> ticks;
    const double first = std::ceil(low / step - 1e-9);
    const double last = std::floor(high / step + 1e-9);
    for (double i = first; i <= last && ticks.size() < 100; ++i) ticks.push_back(i * step);
    return ticks;
}

std::vector<double> logarithmic_ticks(double low, double high) {
    const double decades = std::log10(high / low);
    const std::vector<double> powers{1.0};
    const std::vector<double> thirds{1.0, 3.0};
    const std::vector<double> halves{1.0, 2.0, 5.0};
    std::vector<double> ticks = multiples(low, high, decades > 2.5 ? powers : halves);
    if (ticks.size() < kFewTicks && decades > 2.5) ticks = multiples(low, high, thirds);
    // Within an octave or two there is hardly any: equal steps, as on another axis.
    for (int count = 4; ticks.size() < kFewTicks && count <= 8; ++count) {
        ticks = linear_ticks(low, high, count);
    }
    return ticks;
}

std::string short_number(double value) {
    if (!std::isfinite(value)) return std::isnan(value) ? "NaN" : value < 0 ? "-inf" : "inf";
    return rounded(value, 3);
}

std::vector<std::string> tick_texts(const std::vector<double>& ticks) {
    double step = std::numeric_limits<double>::infinity();
    for (std::size_t i = 1; i < ticks.size(); ++i) step = std::min(step, ticks[i] - ticks[i - 1]);
    const auto are_told_apart_with = [&](int digits) {
        return std::ranges::all_of(ticks, [&](double tick) {
            return std::abs(tick - value_of(tick, digits)) <= 0.01 * step;
        });
    };
    int digits = 3;
    while (digits < 8 && !are_told_apart_with(digits)) ++digits;
    std::vector<std::string> texts;
    for (const double tick : ticks) texts.push_back(rounded(tick, digits));
    return texts;
}

}  // namespace lockstep::reports
