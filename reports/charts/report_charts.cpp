#include "reports/charts/report_charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <span>

namespace lockstep::reports {
namespace {

using Pick = std::function<std::optional<double>(const EpochFigures&)>;

std::optional<double> loss_of(const EpochFigures& epoch) { return epoch.loss; }
std::optional<double> accuracy_of(const EpochFigures& epoch) { return epoch.accuracy; }
std::optional<double> val_loss_of(const EpochFigures& epoch) { return epoch.val_loss; }
std::optional<double> val_accuracy_of(const EpochFigures& epoch) { return epoch.val_accuracy; }

// The last point stands at the end whatever the stride: one of kCurvePoints is kept for it.
std::vector<PlotPoint> thinned(std::vector<PlotPoint> points) {
    if (points.size() <= kCurvePoints) return points;
    const std::size_t stride = (points.size() + kCurvePoints - 3) / (kCurvePoints - 1);
    std::vector<PlotPoint> kept;
    for (std::size_t i = 0; i < points.size(); i += stride) kept.push_back(points[i]);
    if ((points.size() - 1) % stride != 0) kept.push_back(points.back());
    return kept;
}

std::vector<PlotPoint> curve(const RunFigures& run, const Pick& pick) {
    std::vector<PlotPoint> points;
    for (const EpochFigures& epoch : run.epochs) {
        if (const auto value = pick(epoch)) points.push_back({double(epoch.epoch), *value, {}});
    }
    return thinned(std::move(points));
}

// Mean and extent over the seeds that reached the epoch with a finite figure.
struct MeanCurve {
    std::vector<PlotPoint> of_all{};   // as long as none of the seeds is missing
    std::vector<PlotPoint> of_some{};  // from the last of these on
};
MeanCurve mean_curve(const std::vector<RunFigures>& runs, const ArchitectureFigures& entry,
                     const Pick& pick) {
    std::map<int, std::vector<double>> by_epoch;
    std::size_t most = 0;
    for (const std::size_t place : entry.runs) {
        for (const EpochFigures& epoch : runs[place].epochs) {
            const auto value = pick(epoch);
            if (value && std::isfinite(*value)) by_epoch[epoch.epoch].push_back(*value);
        }
    }
    for (const auto& [epoch, values] : by_epoch) most = std::max(most, values.size());
    MeanCurve curve;
    for (const auto& [epoch, values] : by_epoch) {
        PlotPoint point{double(epoch), estimate_of(values).mean, {}};
        if (values.size() > 1) {
            const auto [low, high] = std::ranges::minmax(values);
            point.range = Interval{low, high};
        }
        const bool is_whole = values.size() == most && curve.of_some.empty();
        if (!is_whole && curve.of_some.empty() && !curve.of_all.empty()) {
            curve.of_some.push_back(curve.of_all.back());
        }
        (is_whole ? curve.of_all : curve.of_some).push_back(point);
    }
    curve.of_all = thinned(std::move(curve.of_all));
    curve.of_some = thinned(std::move(curve.of_some));
    return curve;
}

std::span<const ArchitectureFigures> charted(const ExperimentReport& report) {
    return std::span(report.entries).first(std::min(report.entries.size(), kComparedArchitectures));
}

// Losses of a run that diverges would press all others flat, as a warm-up does a learning rate.
void spread(Plot& plot) {
    double low = std::numeric_limits<double>::infinity();
    double high = 0.0;
    for (const PlotSeries& series : plot.series) {
        for (const PlotPoint& point : series.points) {
            if (!std::isfinite(point.y)) continue;
            low = std::min(low, point.y);
            high = std::max(high, point.y);
        }
    }
    plot.y.is_logarithmic = low > 0.0 && high > 20.0 * low;
}

// Of the entry that has this colour.
std::string label_of(const ExperimentReport& report, Labels labels, std::size_t color) {
    return color < labels.size() ? labels[color] : report.entries[color].name;
}

Plot common_plot(const ExperimentReport& report, Labels labels, const char* id, const char* title,
                 const char* y_label, const Pick& pick) {
    Plot plot{.id = id,
              .title = title,
              .description =
                  "By epoch, one line an architecture: the mean over its seeds; the "
                  "band reaches from the lowest to the highest seed. Thin where some seeds have "
                  "ended.",
              .kind = PlotKind::lines,
              .x = {.label = "epoch", .is_whole = true},
              .y = {.label = y_label}};
    std::size_t color = 0;
    for (const ArchitectureFigures& entry : charted(report)) {
        MeanCurve curve = mean_curve(report.runs, entry, pick);
        if (!curve.of_all.empty()) {
            plot.series.push_back({label_of(report, labels, color), color, LineStyle::solid,
                                   std::move(curve.of_all)});
        }
        if (!curve.of_some.empty()) {
            plot.series.push_back({label_of(report, labels, color) + ", fewer seeds", color,
                                   LineStyle::thin, std::move(curve.of_some)});
        }
        ++color;
    }
    return plot;
}

struct Cost {
    const char* id;
    const char* title;
    const char* label;
    std::function<double(const ArchitectureFigures&, const RunFigures&)> of;
};

Plot cost_plot(const ExperimentReport& report, Labels labels, const Cost& cost) {
    Plot plot{.id = cost.id,
              .title = cost.title,
              .description =
                  "One point an architecture; the bar is the 95 % interval of its test "
                  "accuracy. Architectures of different test sets do not compare.",
              .kind = PlotKind::scatter,
              .x = {.label = cost.label, .is_logarithmic = true},
              .y = {.label = "test accuracy"}};
    std::size_t color = 0;
    for (const ArchitectureFigures& entry : charted(report)) {
        PlotSeries series{label_of(report, labels, color), color, LineStyle::solid};
        ++color;
        const Measured& accuracy = entry.test_accuracy;
        if (accuracy.estimate.count == 0) continue;
        const RunFigures& run = report.runs[entry.runs.front()];
        series.points.push_back({cost.of(entry, run), accuracy.estimate.mean, accuracy.interval});
        plot.series.push_back(std::move(series));
    }
    return plot;
}

std::vector<PlotPoint> printed_points(const RunFigures& run, const char* name) {
    std::vector<PlotPoint> points;
    for (const double value : printed_curve(run.run.expected, name)) {
        points.push_back({static_cast<double>(points.size() + 1), value, {}});
    }
    return thinned(std::move(points));
}

Plot run_plot(const RunFigures& run, const char* what, const Pick& training,
              const Pick& validation) {
    const std::string val_name = fmt::format("val_{}", what);
    Plot plot{.id = fmt::format("{}-{}", run.run.run, what),
              .title = fmt::format("{}: {}", run.run.name, what),
              .description = fmt::format("{} by epoch, of training and validation.", what),
              .kind = PlotKind::lines,
              .x = {.label = "epoch", .is_whole = true},
              .y = {.label = what}};
    plot.series = {
        {"training", 0, LineStyle::solid, curve(run, training)},
        {"validation", 1, LineStyle::solid, curve(run, validation)},
        {"training, printed by the source", 0, LineStyle::dashed, printed_points(run, what)},
        {"validation, printed by the source", 1, LineStyle::dashed,
         printed_points(run, val_name.c_str())}};
    std::erase_if(plot.series, [](const PlotSeries& series) { return series.points.empty(); });
    return plot;
}

Plot steps_plot(const RunFigures& run, std::span<const storage::StepStretch> steps) {
    Plot plot{.id = run.run.run + "-steps",
              .title = run.run.name + ": loss of the steps",
              .description =
                  "Each point is the mean of consecutive steps, before their updates; the "
                  "band reaches from the lowest to the highest of them.",
              .kind = PlotKind::lines,
              .x = {.label = "step"},
              .y = {.label = "loss"}};
    PlotSeries series{"training", 0, LineStyle::solid};
    for (const storage::StepStretch& each : steps) {
        PlotPoint point{static_cast<double>(each.first_step) +
                            0.5 * static_cast<double>(each.steps + 1),  // steps count from 1 here
                        each.mean_loss,
                        {}};
        if (each.steps > 1) point.range = Interval{each.lowest_loss, each.highest_loss};
        series.points.push_back(point);
    }
    plot.series.push_back(std::move(series));
    spread(plot);
    return plot;
}

bool has_schedule(const RunFigures& run) {
    return std::ranges::any_of(run.epochs, [&](const EpochFigures& epoch) {
        return epoch.learning_rate != run.epochs.front().learning_rate;
    });
}

Plot learning_rate_plot(const RunFigures& run) {
    Plot plot{.id = run.run.run + "-learning-rate",
              .title = run.run.name + ": learning rate",
              .description = "Of the last step of each epoch.",
              .kind = PlotKind::lines,
              .x = {.label = "epoch", .is_whole = true},
              .y = {.label = "learning rate"}};
    const Pick rate = [](const EpochFigures& epoch) -> std::optional<double> {
        return epoch.learning_rate;
    };
    plot.series.push_back({"learning rate", 2, LineStyle::solid, curve(run, rate)});
    spread(plot);
    return plot;
}

}  // namespace

std::vector<Plot> learning_curves(const ExperimentReport& report, Labels labels) {
    std::vector<Plot> plots{
        common_plot(report, labels, "val-accuracy", "Validation accuracy", "accuracy",
                    val_accuracy_of),
        common_plot(report, labels, "val-loss", "Validation loss", "loss", val_loss_of),
        common_plot(report, labels, "accuracy", "Training accuracy", "accuracy", accuracy_of),
        common_plot(report, labels, "loss", "Training loss", "loss", loss_of)};
    spread(plots[1]);
    spread(plots[3]);
    std::erase_if(plots, [](const Plot& plot) { return !plot.has_values(); });
    return plots;
}

Plot accuracy_over_time(const ExperimentReport& report, Labels labels) {
    Plot plot{.id = "accuracy-over-time",
              .title = "Validation accuracy over time",
              .description =
                  "Against seconds since the start of training, evaluation included; one "
                  "line a run, the first one of each architecture.",
              .kind = PlotKind::lines,
              .x = {.label = "seconds"},
              .y = {.label = "validation accuracy"}};
    std::size_t color = 0;
    for (const ArchitectureFigures& entry : charted(report)) {
        const RunFigures& run = report.runs[entry.runs.front()];
        PlotSeries series{label_of(report, labels, color), color, LineStyle::solid};
        if (run.stopped_seconds > 0.0) series.label += " (disturbed)";
        ++color;
        for (const EpochFigures& epoch : run.epochs) {
            if (!epoch.val_accuracy) continue;
            series.points.push_back({epoch.elapsed_seconds, *epoch.val_accuracy, {}});
        }
        series.points = thinned(std::move(series.points));
        if (!series.points.empty()) plot.series.push_back(std::move(series));
    }
    return plot;
}

std::vector<Plot> accuracy_against_cost(const ExperimentReport& report, Labels labels) {
    const auto parameters = [](const ArchitectureFigures&, const RunFigures& run) {
        return static_cast<double>(run.run.parameters);
    };
    const auto flops = [](const ArchitectureFigures&, const RunFigures& run) {
        return static_cast<double>(run.run.flops_per_image);
    };
    const auto seconds = [](const ArchitectureFigures& entry, const RunFigures&) {
        return entry.seconds.mean;
    };
    std::vector<Plot> plots{
        cost_plot(report, labels,
                  {"by-parameters", "Accuracy against parameters", "parameters", parameters}),
        cost_plot(
            report, labels,
            {"by-flops", "Accuracy against operations", "FLOPs of one image, forward", flops}),
        cost_plot(report, labels,
                  {"by-seconds", "Accuracy against time", "seconds of training", seconds})};
    std::erase_if(plots, [](const Plot& plot) { return !plot.has_values(); });
    return plots;
}

std::vector<Plot> run_curves(const RunFigures& run, std::span<const storage::StepStretch> steps) {
    std::vector<Plot> plots{run_plot(run, "accuracy", accuracy_of, val_accuracy_of),
                            run_plot(run, "loss", loss_of, val_loss_of)};
    spread(plots[1]);
    if (!steps.empty()) plots.push_back(steps_plot(run, steps));
    if (has_schedule(run)) plots.push_back(learning_rate_plot(run));
    return plots;
}

Plot reliability_diagram(const RunFigures& run, const PredictionFigures& predictions) {
    Plot plot{.id = run.run.run + "-reliability",
              .title = run.run.name + ": reliability",
              .description =
                  "Fraction that is right against mean confidence, in bins of equal "
                  "width; on the diagonal confidence equals accuracy.",
              .kind = PlotKind::lines,
              .x = {.label = "confidence", .low = 0.0, .high = 1.0},
              .y = {.label = "accuracy", .low = 0.0, .high = 1.0},
              .has_diagonal = true};
    PlotSeries series{"accuracy of a bin, with its 95 % interval", 0, LineStyle::solid};
    for (const CalibrationBin& bin : predictions.bins) {
        if (bin.samples == 0) continue;
        const auto right = std::llround(bin.accuracy * static_cast<double>(bin.samples));
        series.points.push_back(
            {bin.confidence, bin.accuracy, wilson_interval(right, bin.samples)});
    }
    plot.series.push_back(std::move(series));
    return plot;
}

}  // namespace lockstep::reports
