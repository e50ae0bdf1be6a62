#include "reports/charts/setting_axis.hpp"

#include <algorithm>
#include <cmath>
#include <variant>

#include "reports/charts/plot.hpp"
#include "reports/words/setting_text.hpp"

namespace lockstep::reports {
namespace {

using storage::Cell;

constexpr std::size_t kFewLevels = 12;
constexpr double kNothing = 0.2;  // of the axis, for "not set" beside numbers

double number_of(const Cell& cell) {
    const auto* whole = std::get_if<std::int64_t>(&cell);
    return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(cell);
}

bool is_nothing(const Cell& cell) { return std::holds_alternative<std::monostate>(cell); }

}  // namespace

SettingAxis::SettingAxis(const SweptSetting& setting, double first, double last)
    : setting_(setting), first_(first), last_(last) {
    const std::vector<Cell>& levels = setting.levels;
    const auto count = static_cast<double>(levels.size());
    if (setting.is_numeric) {
        begin_ = is_nothing(levels.front()) ? kNothing : 0.0;
        low_ = number_of(levels[is_nothing(levels.front()) ? 1 : 0]);
        high_ = number_of(levels.back());
    }
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const bool is_number = setting.is_numeric && !is_nothing(levels[i]);
        const double part = is_number            ? part_of(number_of(levels[i]))
                            : setting.is_numeric ? 0.0
                                                 : (static_cast<double>(i) + 0.5) / count;
        places_.push_back(first_ + part * (last_ - first_));
    }
    gap_ = std::abs(last_ - first_);
    for (std::size_t i = 1; i < places_.size(); ++i) {
        gap_ = std::min(gap_, std::abs(places_[i] - places_[i - 1]));
    }
}

double SettingAxis::part_of(double value) const {
    if (!(high_ > low_)) return 0.5;
    const double part = setting_.is_geometric ? std::log(value / low_) / std::log(high_ / low_)
                                              : (value - low_) / (high_ - low_);
    return begin_ + (1.0 - begin_) * part;
}

std::vector<AxisTick> SettingAxis::ticks(double room) const {
    std::vector<AxisTick> all;
    if (!setting_.is_numeric || setting_.levels.size() <= kFewLevels) {
        for (std::size_t i = 0; i < places_.size(); ++i) {
            all.push_back({places_[i], value_text(setting_.levels[i])});
        }
    } else {
        if (begin_ > 0.0) all.push_back({first_, value_text({})});
        const std::vector<double> round =
            setting_.is_geometric ? logarithmic_ticks(low_, high_) : linear_ticks(low_, high_, 5);
        for (const double tick : round) {
            all.push_back({first_ + part_of(tick) * (last_ - first_), short_number(tick)});
        }
    }
    std::vector<AxisTick> shown;
    for (AxisTick& tick : all) {
        if (shown.empty() || std::abs(tick.place - shown.back().place) >= room) {
            shown.push_back(std::move(tick));
        }
    }
    return shown;
}

std::vector<int> outcome_colors(const std::vector<double>& values) {
    std::vector<double> sorted = values;
    std::ranges::sort(sorted);
    std::vector<int> colors;
    const auto count = static_cast<double>(sorted.size());
    for (const double value : values) {
        const auto first = std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin();
        const auto last = std::upper_bound(sorted.begin(), sorted.end(), value) - sorted.begin();
        const double middle = static_cast<double>(first + last) / 2.0;
        colors.push_back(
            std::min(static_cast<int>(middle * kOutcomeColors / count), kOutcomeColors - 1));
    }
    return colors;
}

}  // namespace lockstep::reports
