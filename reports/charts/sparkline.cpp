#include "reports/charts/sparkline.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

namespace lockstep::reports {
namespace {

constexpr std::array<std::string_view, 8> kBlocks{"\u2581", "\u2582", "\u2583", "\u2584",
                                                  "\u2585", "\u2586", "\u2587", "\u2588"};
constexpr std::array<std::string_view, 8> kLetters{"_", ".", ":", "-", "=", "+", "*", "#"};

struct Range {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
};

Range range_of(std::span<const double> values) {
    Range range;
    for (const double value : values) {
        if (!std::isfinite(value)) continue;
        range = {std::min(range.low, value), std::max(range.high, value)};
    }
    return range;
}

// A curve without height lies low.
std::size_t level(double value, const Range& range) {
    if (!(range.high > range.low)) return 0;
    const double part = (value - range.low) / (range.high - range.low);
    return std::min<std::size_t>(static_cast<std::size_t>(part * kBlocks.size()),
                                 kBlocks.size() - 1);
}

}  // namespace

std::string sparkline(std::span<const double> values, std::size_t width, Glyphs glyphs) {
    const Range range = range_of(values);
    const auto& drawn = glyphs == Glyphs::unicode ? kBlocks : kLetters;
    const std::size_t count = std::min(values.size(), width);
    std::string line;
    for (std::size_t i = 0; i < count; ++i) {
        const double value = values[(i + 1) * values.size() / count - 1];
        line += std::isfinite(value) ? drawn[level(value, range)] : "x";
    }
    return line;
}

}  // namespace lockstep::reports
