#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "reports/charts/plot.hpp"
#include "reports/charts/setting_axis.hpp"
#include "reports/charts/sweep_charts.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/setting_text.hpp"

namespace lockstep::reports {
namespace {

// Units of the drawing.
constexpr double kSpacing = 150.0;  // between axes
constexpr double kLeft = 60.0;      // at least
constexpr double kLetter = 7.6;     // of the widest print
constexpr double kRight = 70.0;
constexpr double kTop = 40.0;
constexpr double kHeight = 330.0;
constexpr double kFoot = kHeight - 16.0;
constexpr double kLane = 13.0;  // most that lines of one value lie beside its place
constexpr std::size_t kLabelLetters = 20;

class Drawing {
public:
    Drawing(const Sweep& sweep, const std::vector<RunFigures>& runs)
        : sweep_(sweep), runs_(runs), drawn_(drawn_runs(sweep)) {
        const std::size_t count = std::min(sweep.settings.size(), kSweepAxes);
        for (std::size_t i = count; i-- > 0;) {
            axes_.emplace_back(sweep.settings[i], kFoot - kLane, kTop + kLane);
            shown_.push_back(i);
        }
        const auto [low, high] = std::ranges::minmax(sweep.accuracies);
        const double room = high > low ? 0.04 * (high - low) : 0.05;
        low_ = low - room;
        high_ = high + room;
        for (std::size_t i = 0; i < axes_.size(); ++i) add_lanes(i);
        if (!axes_.empty()) left_ = room_before_first();
    }

    double width() const { return left_ + static_cast<double>(axes_.size()) * kSpacing + kRight; }

    std::string text() const {
        std::string svg;
        const std::vector<int> colors = outcome_colors(sweep_.accuracies);
        for (std::size_t i = 0; i < drawn_.size(); ++i) svg += line(i, colors[drawn_[i]]);
        for (std::size_t i = 0; i < axes_.size(); ++i) svg += setting_axis(i);
        return svg + outcome_axis();
    }

private:
    double x_of(std::size_t axis) const { return left_ + static_cast<double>(axis) * kSpacing; }
    // For the texts of the first axis: its values end there, its name stands in the middle.
    double room_before_first() const {
        const auto letters = [](const std::string& text) {
            return static_cast<double>(std::min(text.size(), kLabelLetters));
        };
        double room = std::max(kLeft, kLetter * letters(setting(0).name.name) / 2.0);
        for (const AxisTick& tick : axes_[0].ticks(13.0))
            room = std::max(room, 8.0 + kLetter * letters(tick.text));
        return room;
    }
    double y_of(double accuracy) const {
        return kFoot - (accuracy - low_) / (high_ - low_) * (kFoot - kTop);
    }
    const SweptSetting& setting(std::size_t axis) const { return sweep_.settings[shown_[axis]]; }

    // Drawn runs come by accuracy, so those of one value are in order: the lowest goes lowest.
    void add_lanes(std::size_t axis) {
        const std::vector<std::size_t>& levels = setting(axis).factor.level_of;
        std::vector<std::size_t> all(setting(axis).levels.size());
        for (const std::size_t run : drawn_) ++all[levels[run]];
        std::vector<std::size_t> before(all.size());
        const double half = std::min(kLane, 0.32 * axes_[axis].gap());
        std::vector<double>& lanes = lanes_.emplace_back();
        for (const std::size_t run : drawn_) {
            const auto count = static_cast<double>(all[levels[run]]);
            const double part =
                count < 2.0 ? 0.5 : static_cast<double>(before[levels[run]]) / (count - 1.0);
            lanes.push_back(half * (1.0 - 2.0 * part));
            ++before[levels[run]];
        }
    }

    std::string line(std::size_t i, int color) const {
        const std::size_t run = drawn_[i];
        std::string path;
        for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
            const double y = axes_[axis].at(setting(axis).factor.level_of[run]) + lanes_[axis][i];
            path += fmt::format("{}{:.0f} {:.1f}", axis == 0 ? 'M' : 'L', x_of(axis), y);
        }
        path += fmt::format("L{:.0f} {:.1f}", x_of(axes_.size()), y_of(sweep_.accuracies[run]));
        const RunFigures& figures = runs_[sweep_.runs[run].run];
        return fmt::format(
            "<path class=\"run q{}\" data-run=\"{}\" d=\"{}\"><title>{}: {}</title>"
            "</path>",
            color, sweep_.runs[run].run, path, html_text(figures.run.name),
            figure_text(sweep_.accuracies[run]));
    }

    std::string axis_line(std::size_t axis, const std::string& name) const {
        const std::string shown = shortened(name, kLabelLetters);
        return fmt::format(
            "<path class=\"axis\" d=\"M{0:.0f} {1}V{2}\"/>"
            "<text class=\"label\" x=\"{0:.0f}\" y=\"16\" text-anchor=\"middle\">{3}"
            "<title>{4}</title></text>",
            x_of(axis), kTop, kFoot, html_text(shown), html_text(name));
    }

    std::string setting_axis(std::size_t axis) const {
        std::string svg = axis_line(axis, setting(axis).name.name);
        for (const AxisTick& tick : axes_[axis].ticks(13.0)) {
            svg += fmt::format(
                "<text class=\"on\" x=\"{:.0f}\" y=\"{:.1f}\" dy=\".35em\" text-anchor=\"end\">{}"
                "<title>{}</title></text>",
                x_of(axis) - 6, tick.place, html_text(shortened(tick.text, kLabelLetters)),
                html_text(tick.text));
        }
        return svg;
    }

    std::string outcome_axis() const {
        std::string svg = axis_line(axes_.size(), "test accuracy");
        for (const double tick : linear_ticks(low_, high_, 6)) {
            svg += fmt::format(
                "<path class=\"axis\" d=\"M{0:.0f} {1:.1f}h5\"/>"
                "<text x=\"{2:.0f}\" y=\"{1:.1f}\" dy=\".35em\">{3}</text>",
                x_of(axes_.size()), y_of(tick), x_of(axes_.size()) + 9, short_number(tick));
        }
        return svg;
    }

    const Sweep& sweep_;
    const std::vector<RunFigures>& runs_;
    std::vector<std::size_t> drawn_;
    std::vector<SettingAxis> axes_;
    std::vector<std::size_t> shown_;          // the setting of each axis
    std::vector<std::vector<double>> lanes_;  // [axes][drawn], beside the value's place
    double left_ = kLeft;
    double low_ = 0.0;
    double high_ = 1.0;
};

}  // namespace

std::vector<std::size_t> drawn_runs(const Sweep& sweep) {
    std::vector<std::size_t> order(sweep.runs.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return sweep.accuracies[i]; });
    if (order.size() <= kSweepLines) return order;
    std::vector<std::size_t> drawn;
    for (std::size_t i = 0; i < kSweepLines; ++i) {
        drawn.push_back(order[i * (order.size() - 1) / (kSweepLines - 1)]);
    }
    return drawn;
}

std::string svg_parallel_coordinates(const Sweep& sweep, const std::vector<RunFigures>& runs) {
    if (sweep.runs.empty() || sweep.settings.empty()) return {};
    const Drawing drawing(sweep, runs);
    return fmt::format(
        "<svg class=\"plot parallel p{}\" viewBox=\"0 0 {:.0f} {}\" role=\"img\" "
        "aria-labelledby=\"parallel-t parallel-d\"><title id=\"parallel-t\">Settings and test "
        "accuracy of {} runs</title><desc id=\"parallel-d\">Parallel coordinates: one line a run, "
        "one axis a setting, the last one the test accuracy. The table of runs has the same "
        "values.</desc>{}</svg>\n",
        std::min(sweep.settings.size(), kSweepAxes), drawing.width(), kHeight,
        std::min(sweep.runs.size(), kSweepLines), drawing.text());
}

}  // namespace lockstep::reports
