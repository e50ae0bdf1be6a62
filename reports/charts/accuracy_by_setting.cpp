#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "reports/charts/plot.hpp"
#include "reports/charts/setting_axis.hpp"
#include "reports/charts/sweep_charts.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/setting_text.hpp"

namespace lockstep::reports {
namespace {

// Units of the drawing.
constexpr double kWidth = 360.0;
constexpr double kHeight = 260.0;
constexpr double kLeft = 56.0;
constexpr double kRight = 14.0;
constexpr double kTop = 10.0;
constexpr double kFoot = kHeight - 52.0;
constexpr double kLetter = 7.7;   // of a label, wide, in the largest letters
constexpr double kMargin = 22.0;  // beside the first and the last value
constexpr double kLine = 16.0;    // of text, high

class Drawing {
public:
    Drawing(const Sweep& sweep, const std::vector<RunFigures>& runs, std::size_t setting,
            std::optional<double> chance)
        : sweep_(sweep),
          runs_(runs),
          setting_(sweep.settings[setting]),
          axis_(setting_, kLeft + kMargin, kWidth - kRight - kMargin),
          chance_(chance) {
        auto [low, high] = std::ranges::minmax(sweep.accuracies);
        const double extent = std::max(high - low, 0.02);
        if (chance_ && *chance_ < low && low - *chance_ > 0.5 * extent) chance_.reset();
        if (chance_) low = std::min(low, *chance_);
        if (chance_) high = std::max(high, *chance_);
        low_ = low - 0.06 * extent;
        high_ = high + 0.06 * extent;
    }

    std::string text() const { return axes() + chance() + points() + means(); }

private:
    double y_of(double accuracy) const {
        return kFoot - (accuracy - low_) / (high_ - low_) * (kFoot - kTop);
    }
    double half() const { return std::min(16.0, 0.35 * axis_.gap()); }

    std::string axes() const {
        std::string svg;
        for (const double tick : linear_ticks(low_, high_, 7)) {
            if (chance_ && std::abs(y_of(tick) - y_of(*chance_)) < kLine) continue;
            svg += fmt::format(
                "<path class=\"grid\" d=\"M{0} {2:.1f}H{1}\"/><text x=\"{3}\" y=\"{2:.1f}\" "
                "dy=\".35em\" text-anchor=\"end\">{4}</text>",
                kLeft, kWidth - kRight, y_of(tick), kLeft - 6, short_number(tick));
        }
        svg += labels();
        const char* scale = setting_.is_geometric ? ", logarithmic" : "";
        return svg + fmt::format(
                         "<path class=\"axis\" d=\"M{0} {1}V{2}H{3}\"/><text class=\"label\" "
                         "x=\"{4}\" y=\"{5}\" text-anchor=\"middle\">{6}{7}</text>",
                         kLeft, kTop, kFoot, kWidth - kRight, (kLeft + kWidth - kRight) / 2,
                         kHeight - 6, html_text(shortened(setting_.name.name, 36)), scale);
    }

    // Long ones stand on two heights in turn, and have the room of two.
    std::string labels() const {
        const std::vector<AxisTick> ticks = axis_.ticks(26.0);
        const double room = std::max(26.0, std::min(axis_.gap(), kWidth - kLeft - kRight));
        auto letters = static_cast<std::size_t>(room / kLetter);
        const bool is_long = std::ranges::any_of(
            ticks, [&](const AxisTick& tick) { return tick.text.size() > letters; });
        if (is_long) letters = static_cast<std::size_t>(1.8 * room / kLetter);
        std::string svg;
        for (std::size_t i = 0; i < ticks.size(); ++i) {
            svg += fmt::format(
                "<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}<title>{}</title></text>",
                ticks[i].place, kFoot + (is_long && i % 2 == 1 ? 29 : 15),
                html_text(shortened(ticks[i].text, std::max<std::size_t>(letters, 5))),
                html_text(ticks[i].text));
        }
        return svg;
    }

    // Named on the axis, where no point lies.
    std::string chance() const {
        if (!chance_) return {};
        return fmt::format(
            "<path class=\"diagonal\" d=\"M{0} {2:.1f}H{1}\"/><text x=\"{3}\" y=\"{2:.1f}\" "
            "dy=\".35em\" text-anchor=\"end\">chance</text>",
            kLeft, kWidth - kRight, y_of(*chance_), kLeft - 6);
    }

    // Beside each other in the order of all runs, so that seeds of one combination are neighbours.
    std::string points() const {
        const std::vector<int> colors = outcome_colors(sweep_.accuracies);
        std::vector<std::size_t> drawn = drawn_runs(sweep_);
        std::ranges::sort(drawn);
        std::vector<std::size_t> all(setting_.levels.size());
        for (const std::size_t run : drawn) ++all[setting_.factor.level_of[run]];
        std::vector<std::size_t> before(all.size());
        std::string svg;
        for (const std::size_t run : drawn) {
            const std::size_t level = setting_.factor.level_of[run];
            const auto count = static_cast<double>(all[level]);
            const double part =
                count < 2.0 ? 0.5 : static_cast<double>(before[level]++) / (count - 1.0);
            svg += fmt::format(
                "<circle class=\"dot q{}\" data-run=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.2\">"
                "<title>{}: {}</title></circle>",
                colors[run], sweep_.runs[run].run, axis_.at(level) + half() * (2.0 * part - 1.0),
                y_of(sweep_.accuracies[run]), html_text(runs_[sweep_.runs[run].run].run.name),
                figure_text(sweep_.accuracies[run]));
        }
        return svg;
    }

    std::string means() const {
        const std::vector<LevelMean> means = level_means(setting_.factor, sweep_.accuracies);
        std::string bars;
        std::string line;
        for (std::size_t level = 0; level < means.size(); ++level) {
            const double y = y_of(means[level].mean);
            const double width = std::max(5.0, half() + 4.0);
            bars += fmt::format("<path class=\"mean\" d=\"M{:.1f} {:.1f}h{:.1f}\"/>",
                                axis_.at(level) - width, y, 2.0 * width);
            line += fmt::format("{}{:.1f} {:.1f}", line.empty() ? 'M' : 'L', axis_.at(level), y);
        }
        const bool is_joined = setting_.is_numeric && means.size() > 1;
        return (is_joined ? fmt::format("<path class=\"trend\" d=\"{}\"/>", line) : "") + bars;
    }

    const Sweep& sweep_;
    const std::vector<RunFigures>& runs_;
    const SweptSetting& setting_;
    SettingAxis axis_;
    std::optional<double> chance_;
    double low_ = 0.0;
    double high_ = 1.0;
};

}  // namespace

std::string svg_accuracy_by_setting(const Sweep& sweep, const std::vector<RunFigures>& runs,
                                    std::size_t setting, std::optional<double> chance) {
    const std::string name = html_text(sweep.settings[setting].name.name);
    return fmt::format(
        "<svg class=\"plot sweep\" viewBox=\"0 0 {0} {1}\" role=\"img\" aria-labelledby=\"by-{2}-t "
        "by-{2}-d\"><title id=\"by-{2}-t\">Test accuracy by {3}</title><desc id=\"by-{2}-d\">One "
        "point a run, a bar at the mean of each value. The table of means has the same values."
        "</desc>{4}</svg>\n",
        kWidth, kHeight, setting, name, Drawing(sweep, runs, setting, chance).text());
}

}  // namespace lockstep::reports
