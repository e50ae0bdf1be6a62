#include "reports/figures/figure_difference.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "reports/figures/statistics.hpp"

namespace lockstep::reports {
namespace {

enum class MeasuredOn { test_images, validation_images, training_images, schedule, clock };

struct Figure {
    const char* name;
    MeasuredOn on;
    std::optional<double> (*of)(const RunFigures& run);
};

// The same images, as far as settings and digests tell.
bool are_comparable(MeasuredOn on, const RunFigures& first, const RunFigures& second) {
    if (on == MeasuredOn::schedule || on == MeasuredOn::clock) return true;
    const auto validation = [](const RunFigures& run) {
        return value_of(run.config, "data.validation");
    };
    const bool is_one_source = first.test_set.dataset == second.test_set.dataset &&
                               first.test_set.data_digest == second.test_set.data_digest &&
                               first.test_set.classes == second.test_set.classes;
    if (on == MeasuredOn::test_images) return first.test_set == second.test_set;
    if (on == MeasuredOn::training_images) return is_one_source;
    return is_one_source && validation(first) == validation(second);
}

// Whether the run was chosen by figures of the images that this one is measured on.
bool is_flattered(MeasuredOn on, const RunFigures& run) {
    return on == MeasuredOn::test_images && run.run.selected_on_test_set;
}

template <class Number>
std::optional<double> positive(Number number) {
    return number > Number{} ? std::optional(static_cast<double>(number)) : std::nullopt;
}

constexpr std::array<Figure, 12> kFigures{{
    {"test_accuracy", MeasuredOn::test_images,
     [](const RunFigures& run) { return run.test_accuracy; }},
    {"test_top_5_accuracy", MeasuredOn::test_images,
     [](const RunFigures& run) { return run.test_top_5_accuracy; }},
    {"test_loss", MeasuredOn::test_images, [](const RunFigures& run) { return run.test_loss; }},
    {"best_val_accuracy", MeasuredOn::validation_images,
     [](const RunFigures& run) { return run.val_accuracy.best; }},
    {"val_accuracy", MeasuredOn::validation_images,
     [](const RunFigures& run) { return run.val_accuracy.final; }},
    {"best_val_loss", MeasuredOn::validation_images,
     [](const RunFigures& run) { return run.val_loss.best; }},
    {"val_loss", MeasuredOn::validation_images,
     [](const RunFigures& run) { return run.val_loss.final; }},
    {"accuracy", MeasuredOn::training_images,
     [](const RunFigures& run) { return run.accuracy.final; }},
    {"loss", MeasuredOn::training_images, [](const RunFigures& run) { return run.loss.final; }},
    {"epochs", MeasuredOn::schedule,
     [](const RunFigures& run) { return positive(run.epochs.size()); }},
    {"run_seconds", MeasuredOn::clock, [](const RunFigures& run) { return positive(run.seconds); }},
    {"images_per_second", MeasuredOn::clock,
     [](const RunFigures& run) { return positive(run.images_per_second); }},
}};

struct Spread {
    double squares = 0.0;  // sum of squared distances from the mean
    int degrees = 0;       // values - 1
};

Estimate estimate(const std::vector<RunFigures>& runs, const Figure& figure) {
    std::vector<double> values;
    for (const RunFigures& run : runs) {
        const auto value = figure.of(run);
        if (value) values.push_back(*value);
    }
    return estimate_of(values);
}

std::optional<double> mean_of(const std::vector<RunFigures>& runs, const Figure& figure) {
    const Estimate all = estimate(runs, figure);
    return all.count > 0 ? std::optional(all.mean) : std::nullopt;
}

Spread spread_of(const std::vector<RunFigures>& seeds, const Figure& figure) {
    const Estimate all = estimate(seeds, figure);
    if (!all.deviation) return {};
    const int degrees = all.count - 1;
    return {*all.deviation * *all.deviation * degrees, degrees};
}

// Of both designs together; none where no two seeds of a design differ.
Spread pooled(const Figure& figure, const std::vector<RunFigures>& first_seeds,
              const std::vector<RunFigures>& second_seeds) {
    const Spread first = spread_of(first_seeds, figure);
    const Spread second = spread_of(second_seeds, figure);
    return {first.squares + second.squares, first.degrees + second.degrees};
}

void test_figure(const Spread& spread, FigureDifference& figure) {
    if (spread.degrees == 0) return;
    const double deviation = std::sqrt(2.0 * spread.squares / spread.degrees);
    figure.seed_noise = student_t_quantile((1.0 + kConfidence) / 2.0, spread.degrees) * deviation;
    if (!figure.first || !figure.second || deviation == 0.0) return;
    const double t = std::abs(*figure.second - *figure.first) / deviation;
    if (!std::isfinite(t)) return;
    figure.p_value = 2.0 * student_t_probability(-t, spread.degrees);
}

bool is_equal(const FigureDifference& figure) {
    return figure.first && figure.second && is_same_figure(*figure.first, *figure.second);
}

// Why a figure is not held to the seeds' scatter; unknown: it is.
Movement untested(MeasuredOn on, const RunFigures& first, const RunFigures& second) {
    if (on == MeasuredOn::clock) return Movement::not_tested;
    if (!are_comparable(on, first, second)) return Movement::not_comparable;
    const bool are_finished = first.is_finished() && second.is_finished();
    return are_finished ? Movement::unknown : Movement::not_finished;
}

Movement movement_of(const FigureDifference& figure) {
    if (!figure.first || !figure.second) return Movement::unknown;
    if (is_equal(figure)) return Movement::none;
    if (!figure.adjusted_p_value) return Movement::unknown;
    return *figure.adjusted_p_value < kSignificance ? Movement::beyond : Movement::within;
}

}  // namespace

std::vector<FigureDifference> figure_differences(const RunFigures& first, const RunFigures& second,
                                                 const std::vector<RunFigures>& first_seeds,
                                                 const std::vector<RunFigures>& second_seeds) {
    // Seeds of one design are one sample, not two.
    static const std::vector<RunFigures> kNone;
    const auto& others = first.design == second.design ? kNone : second_seeds;
    std::vector<FigureDifference> differences;
    for (const Figure& figure : kFigures) {
        FigureDifference difference{figure.name, figure.of(first), figure.of(second)};
        if (!difference.first && !difference.second) continue;
        difference.is_first_selected = is_flattered(figure.on, first);
        difference.is_second_selected = is_flattered(figure.on, second);
        difference.movement = untested(figure.on, first, second);
        if (difference.movement == Movement::unknown)
            test_figure(pooled(figure, first_seeds, others), difference);
        differences.push_back(std::move(difference));
    }
    correct_for_many(differences);
    for (FigureDifference& each : differences) {
        const bool is_untested =
            each.movement == Movement::not_tested || each.movement == Movement::not_finished;
        if (is_untested && is_equal(each)) each.movement = Movement::none;
        if (each.movement == Movement::unknown) each.movement = movement_of(each);
    }
    return differences;
}

std::vector<FigureDifference> mean_differences(const std::vector<RunFigures>& first,
                                               const std::vector<RunFigures>& second) {
    if (first.empty() || second.empty()) return {};
    std::vector<FigureDifference> differences;
    for (const Figure& figure : kFigures) {
        FigureDifference difference{figure.name, mean_of(first, figure), mean_of(second, figure)};
        if (!difference.first && !difference.second) continue;
        difference.is_first_selected = is_flattered(figure.on, first.front());
        difference.is_second_selected = is_flattered(figure.on, second.front());
        if (!are_comparable(figure.on, first.front(), second.front()))
            difference.movement = Movement::not_comparable;
        else if (is_equal(difference))
            difference.movement = Movement::none;
        differences.push_back(std::move(difference));
    }
    return differences;
}

std::string_view to_string(Movement movement) {
    switch (movement) {
        case Movement::none:
            return "equal";
        case Movement::within:
            return "within seed noise";
        case Movement::beyond:
            return "beyond seed noise";
        case Movement::not_comparable:
            return "not comparable: other images";
        case Movement::not_finished:
            return "not tested: not finished";
        case Movement::not_tested:
            return "not tested: the machine's";
        case Movement::unknown:
            break;
    }
    return "unknown";
}

}  // namespace lockstep::reports
