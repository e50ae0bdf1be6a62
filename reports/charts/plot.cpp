#include "reports/charts/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

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
    std::vector<double> ticks;
    for (double power = std::floor(std::log10(low)); power <= std::log10(high) + 1; ++power) {
        for (const double digit : {1.0, 2.0, 5.0}) {
            if (digit != 1.0 && decades > 2.5) continue;
            const double tick = digit * std::pow(10.0, power);
            if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.push_back(tick);
        }
    }
    return ticks;
}

std::string short_number(double value) {
    if (!std::isfinite(value)) return std::isnan(value) ? "NaN" : value < 0 ? "-inf" : "inf";
    for (const Unit& unit : kUnits) {
        if (std::abs(value) >= unit.value * 0.9995) {  // which would round to it
            return fmt::format("{:.3g}{}", value / unit.value, unit.letter);
        }
    }
    if (value == 0.0) return "0";
    return fmt::format("{:.3g}", value);
}

}  // namespace lockstep::reports
