#pragma once

// A chart as plain values: what svg_plot draws and the page's script lets a reader explore.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "reports/figures/statistics.hpp"

namespace lockstep::reports {

enum class PlotKind { lines, scatter };
enum class LineStyle { solid, dashed, thin };

struct PlotPoint {
    double x = 0.0;
    double y = 0.0;                   // not finite: a gap
    std::optional<Interval> range{};  // of y: a band behind lines, an error bar of a point
};

struct PlotSeries {
    std::string label;
    std::size_t color = 0;  // a place in the palette, any number
    LineStyle style = LineStyle::solid;
    std::vector<PlotPoint> points{};  // x ascending in lines
};

struct PlotAxis {
    std::string label;            // with its unit
    bool is_logarithmic = false;  // values <= 0 are then left out
    bool is_whole = false;        // ticks at whole numbers only
    // Ends that are shown even if no value comes near; else the values' own.
    std::optional<double> low{};
    std::optional<double> high{};
};

struct Plot {
    std::string id;           // a name for anchors: letters, digits, '-'
    std::string title;        // one line
    std::string description;  // what it shows, in a sentence
    PlotKind kind = PlotKind::lines;
    PlotAxis x, y;
    std::vector<PlotSeries> series{};
    bool has_diagonal = false;  // y = x, where confidence equals accuracy

    bool has_values() const;
};

// Round numbers (1, 2, 2.5, 5 x a power of ten) that cover [low, high], about `count` of them, as
// P. S. Heckbert: Nice numbers for graph labels. Graphics Gems, 1990.
std::vector<double> linear_ticks(double low, double high, int count);
// Powers of ten inside [low, high], both > 0; 2 and 5 times them, or 3 times, where they are few;
// and where even these are, linear_ticks(): three at least.
std::vector<double> logarithmic_ticks(double low, double high);

// 0.25, 1200 -> "1.2k", 3858544 -> "3.86M": four characters or so.
std::string short_number(double value);
// The same for the ticks of an axis, ascending: with as many digits as tell them apart.
std::vector<std::string> tick_texts(const std::vector<double>& ticks);

}  // namespace lockstep::reports
