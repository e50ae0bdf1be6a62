#include "reports/charts/svg_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "reports/words/html_text.hpp"

namespace lockstep::reports {
namespace {

// Units of the drawing; the page scales it.
constexpr double kWidth = 440.0;
constexpr double kHeight = 290.0;
constexpr double kLeft = 80.0;
constexpr double kRight = 12.0;
constexpr double kTop = 10.0;
constexpr double kBottom = 48.0;

// From values to places on one axis.
class Scale {
public:
    // `room` is left beside the values, as a part of their extent, where the axis has no own end.
    Scale(const PlotAxis& axis, double low, double high, double room, double first, double last)
        : is_logarithmic_(axis.is_logarithmic),
          is_whole_(axis.is_whole),
          first_(first),
          last_(last) {
        const double least = low;
        const double most = high;
        widen(low, high, room);
        low_ = axis.low ? std::min(least, *axis.low) : low;
        high_ = axis.high ? std::max(most, *axis.high) : high;
    }
    double at(double value) const {
        const double part = is_logarithmic_ ? std::log(value / low_) / std::log(high_ / low_)
                                            : (value - low_) / (high_ - low_);
        return first_ + part * (last_ - first_);
    }
    std::vector<double> ticks(int count) const {
        if (is_logarithmic_) return logarithmic_ticks(low_, high_);
        std::vector<double> ticks = linear_ticks(low_, high_, count);
        if (is_whole_) std::erase_if(ticks, [](double tick) { return tick != std::round(tick); });
        return ticks;
    }
    double low() const { return low_; }
    double high() const { return high_; }

private:
    // One value alone gets room in any case.
    void widen(double& low, double& high, double room) const {
        if (is_logarithmic_) {
            const double factor = high > low ? std::pow(high / low, room) : 2.0;
            low /= factor;
            high *= factor;
        } else {
            const double more =
                high > low ? room * (high - low) : std::max(std::abs(low) * 0.1, 0.5);
            low -= more;
            high += more;
        }
    }

    bool is_logarithmic_;
    bool is_whole_;
    double low_ = 0.0;
    double high_ = 1.0;
    double first_;
    double last_;
};

struct Extent {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();

    void take(double value) {
        low = std::min(low, value);
        high = std::max(high, value);
    }
};

bool is_shown(const PlotAxis& axis, double value) {
    return std::isfinite(value) && (!axis.is_logarithmic || value > 0.0);
}

bool is_shown(const Plot& plot, const PlotPoint& point) {
    return is_shown(plot.x, point.x) && is_shown(plot.y, point.y);
}

bool has_range(const Plot& plot, const PlotPoint& point) {
    return is_shown(plot, point) && point.range && is_shown(plot.y, point.range->low) &&
           is_shown(plot.y, point.range->high);
}

// Of a tick's text in the largest letters that it is drawn with.
double half_width(const std::string& text) { return 4.5 * static_cast<double>(text.size()); }

class Drawing {
public:
    explicit Drawing(const Plot& plot) : plot_(plot), extents_(extents_of(plot)) {}

    std::string text() const {
        std::string svg = axes();
        if (plot_.has_diagonal) svg += diagonal();
        for (const PlotSeries& series : plot_.series) svg += band(series);
        for (const PlotSeries& series : plot_.series) {
            svg += plot_.kind == PlotKind::lines ? line(series) : points(series);
        }
        return svg;
    }

private:
    struct Extents {
        Extent x, y;
    };

    static Extents extents_of(const Plot& plot) {
        Extents extents;
        for (const PlotSeries& series : plot.series) {
            for (const PlotPoint& point : series.points) {
                if (!is_shown(plot, point)) continue;
                extents.x.take(point.x);
                extents.y.take(point.y);
                if (!has_range(plot, point)) continue;
                extents.y.take(point.range->low);
                extents.y.take(point.range->high);
            }
        }
        return extents;
    }

    std::string axes() const {
        std::string svg;
        const std::vector<double> columns = x_.ticks(6);
        const std::vector<std::string> column_texts = tick_texts(columns);
        for (std::size_t i = 0; i < columns.size(); ++i) {
            svg += fmt::format(
                "<path class=\"grid\" d=\"M{0:.1f} {1}V{2}\"/>"
                "<text x=\"{5:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4}</text>",
                x_.at(columns[i]), kTop, kHeight - kBottom, kHeight - kBottom + 16, column_texts[i],
                std::min(x_.at(columns[i]), kWidth - half_width(column_texts[i])));
        }
        const std::vector<double> lines = y_.ticks(5);
        const std::vector<std::string> line_texts = tick_texts(lines);
        for (std::size_t i = 0; i < lines.size(); ++i) {
            svg += fmt::format(
                "<path class=\"grid\" d=\"M{0} {2:.1f}H{1}\"/>"
                "<text x=\"{3}\" y=\"{2:.1f}\" dy=\".35em\" text-anchor=\"end\">{4}</text>",
                kLeft, kWidth - kRight, y_.at(lines[i]), kLeft - 6, line_texts[i]);
        }
        return svg +
               fmt::format(
                   "<path class=\"axis\" d=\"M{0} {1}V{2}H{3}\"/>"
                   "<text class=\"label\" x=\"{4}\" y=\"{5}\" text-anchor=\"middle\">{6}</text>"
                   "<text class=\"label\" transform=\"translate(16 {7}) rotate(-90)\" "
                   "text-anchor=\"middle\">{8}</text>",
                   kLeft, kTop, kHeight - kBottom, kWidth - kRight, (kLeft + kWidth - kRight) / 2,
                   kHeight - 7, html_text(plot_.x.label), (kTop + kHeight - kBottom) / 2,
                   html_text(plot_.y.label));
    }

    std::string diagonal() const {
        const double low = std::max(x_.low(), y_.low());
        const double high = std::min(x_.high(), y_.high());
        return fmt::format("<path class=\"diagonal\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/>",
                           x_.at(low), y_.at(low), x_.at(high), y_.at(high));
    }

    std::string place(double x, double y) const {
        return fmt::format("{:.1f} {:.1f}", x_.at(x), y_.at(y));
    }

    std::string band(const PlotSeries& series) const {
        if (plot_.kind != PlotKind::lines) return {};
        std::string upper;
        std::string lower;
        for (const PlotPoint& point : series.points) {
            if (!has_range(plot_, point)) continue;
            upper +=
                fmt::format("{}{}", upper.empty() ? 'M' : 'L', place(point.x, point.range->high));
            lower.insert(0, fmt::format("L{}", place(point.x, point.range->low)));
        }
        if (upper.empty()) return {};
        return fmt::format("<path class=\"band {}\" d=\"{}{}Z\"/>", series_class(series), upper,
                           lower);
    }

    std::string line(const PlotSeries& series) const {
        std::string path;
        std::string lone;  // points between gaps, which a line would not show
        for (std::size_t i = 0; i < series.points.size(); ++i) {
            const PlotPoint& point = series.points[i];
            if (!is_shown(plot_, point)) continue;
            const bool follows = i > 0 && is_shown(plot_, series.points[i - 1]);
            const bool goes_on =
                i + 1 < series.points.size() && is_shown(plot_, series.points[i + 1]);
            path += fmt::format("{}{}", follows ? 'L' : 'M', place(point.x, point.y));
            if (!follows && !goes_on) lone += dot(point, series, 2.5);
        }
        if (path.empty()) return {};
        return fmt::format("<path class=\"line {}\" d=\"{}\"/>", series_class(series), path) + lone;
    }

    std::string dot(const PlotPoint& point, const PlotSeries& series, double radius) const {
        return fmt::format("<circle class=\"point {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"/>",
                           series_class(series), x_.at(point.x), y_.at(point.y), radius);
    }

    std::string points(const PlotSeries& series) const {
        std::string svg;
        for (const PlotPoint& point : series.points) {
            if (!is_shown(plot_, point)) continue;
            if (has_range(plot_, point)) {
                svg += fmt::format("<path class=\"whisker {}\" d=\"M{:.1f} {:.1f}V{:.1f}\"/>",
                                   series_class(series), x_.at(point.x), y_.at(point.range->low),
                                   y_.at(point.range->high));
            }
            svg += dot(point, series, 4.5);
        }
        return svg;
    }

    static constexpr double kRoom = 0.05;

    const Plot& plot_;
    Extents extents_;
    Scale x_{plot_.x, extents_.x.low, extents_.x.high, plot_.kind == PlotKind::lines ? 0.0 : kRoom,
             kLeft,   kWidth - kRight};
    Scale y_{plot_.y, extents_.y.low, extents_.y.high, kRoom, kHeight - kBottom, kTop};
};

bool has_shown_point(const Plot& plot) {
    return std::ranges::any_of(plot.series, [&](const PlotSeries& series) {
        return std::ranges::any_of(series.points,
                                   [&](const PlotPoint& point) { return is_shown(plot, point); });
    });
}

}  // namespace

std::string series_class(const PlotSeries& series) {
    const std::size_t dashes =
        (series.style == LineStyle::dashed ? 1 : 0) + series.color / kPlotColors;
    return fmt::format("s{}{}{}", series.color % kPlotColors,
                       dashes == 0 ? "" : fmt::format(" d{}", 1 + (dashes - 1) % 3),
                       series.style == LineStyle::thin ? " thin" : "");
}

std::string svg_plot(const Plot& plot) {
    const std::string id = html_text(plot.id);
    std::string svg = fmt::format(
        "<svg class=\"plot\" viewBox=\"0 0 {0} {1}\" role=\"img\" "
        "aria-labelledby=\"{2}-t {2}-d\"><title id=\"{2}-t\">{3}</title>"
        "<desc id=\"{2}-d\">{4}</desc>",
        kWidth, kHeight, id, html_text(plot.title), html_text(plot.description));
    svg += has_shown_point(plot)
               ? Drawing(plot).text()
               : fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">no values yet</text>",
                             kWidth / 2, kHeight / 2);
    return svg + "</svg>\n";
}

}  // namespace lockstep::reports
