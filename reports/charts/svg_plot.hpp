#pragma once

// A plot as SVG for an HTML page: axes with ticks, a grid, lines with bands, points with error
// bars. Colours and text sizes come from the page's style sheet (classes s0 to s7, plot), so that
// light, dark and print need one drawing. The bytes are a function of the plot alone.

#include <string>

#include "reports/charts/plot.hpp"

namespace lockstep::reports {

inline constexpr std::size_t kPlotColors = 8;

// An <svg role="img"> with title and description. Text of users is escaped. A plot without values
// says "no values yet".
std::string svg_plot(const Plot& plot);

// The class of a series: colour and dashes: "s3 d1". Every ninth series repeats a colour, with
// other dashes.
std::string series_class(const PlotSeries& series);

}  // namespace lockstep::reports
