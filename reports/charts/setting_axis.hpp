#pragma once

// Where the values of one setting stand on an axis: numbers at their size, linear or logarithmic;
// texts, and the lack of a value, evenly spaced.

#include <cstddef>
#include <string>
#include <vector>

#include "reports/figures/sweep.hpp"

namespace lockstep::reports {

struct AxisTick {
    double place = 0.0;
    std::string text;
};

class SettingAxis {
public:
    // From `first` to `last`, in units of the drawing; `last` may be the smaller one.
    SettingAxis(const SweptSetting& setting, double first, double last);

    double at(std::size_t level) const { return places_[level]; }
    // The least distance between two values; the axis' length of one value.
    double gap() const { return gap_; }
    // The values themselves where they are few, else round numbers; none nearer to another than
    // `room`.
    std::vector<AxisTick> ticks(double room) const;

private:
    double part_of(double value) const;  // in [0, 1]

    const SweptSetting& setting_;
    double first_;
    double last_;
    double low_ = 0.0;  // of the numbers
    double high_ = 1.0;
    double begin_ = 0.0;  // of the numbers, as a part of the axis
    std::vector<double> places_;
    double gap_ = 0.0;
};

// The colour of each run by its place among all: 0 for the lowest fifth of them, 4 for the highest;
// equal values share one. [values]
inline constexpr int kOutcomeColors = 5;
std::vector<int> outcome_colors(const std::vector<double>& values);

}  // namespace lockstep::reports
