#pragma once

// Two runs against each other: the figures that moved, and whether they moved by more than another
// seed would move them. Computes; prints nothing.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/figures/run_figures.hpp"

namespace lockstep::reports {

enum class Movement {
    none,            // equal, but for a rounding
    within,          // by no more than seeds may differ
    beyond,          // by more
    unknown,         // nobody knows how much seeds differ: no design has two finished ones that do
    not_comparable,  // measured on other images
    not_finished,    // of a run whose last figures are not known yet
    not_tested,      // of the machine and what else it did, not of the training
};

struct FigureDifference {
    std::string figure;  // test_accuracy
    std::optional<double> first;
    std::optional<double> second;
    // The sides whose weights or last epoch were chosen by figures of the test set, where this is
    // one: it flatters them.
    bool is_first_selected = false;
    bool is_second_selected = false;
    // Two runs of one design differ by less than this in 95 % of the cases; of one figure alone.
    std::optional<double> seed_noise{};
    // How often two of one design differ by as much or more, and after Holm's correction over all
    // figures whose noise is known: of nine, one in twenty would be beyond by chance.
    std::optional<double> p_value{};
    std::optional<double> adjusted_p_value{};
    Movement movement = Movement::unknown;
};

// The figures of the runs' ends, those that either run has: losses, accuracies, seconds.
//   first_seeds, second_seeds   the finished runs of either design, the run itself included or not
//
// The noise is the repeatability limit of ISO 5725-6, 4.1: t(0.975, n) sqrt(2) s, with Student's t
// for the s of few runs. s is pooled over both designs: s^2 = sum (x - mean of its design)^2 / n,
// n = runs - designs. Runs without a design in common with another one add nothing to n. A figure
// is beyond it if 2 P(T > |second - first| / (sqrt(2) s)), T of n degrees, is below 0.05 after
// Holm's correction. Losses and accuracies of other images are set beside each other and not
// tested, and so are times: runs of one design take different ones on a busier machine. A run that
// is not finished is not tested either: the scatter is that of last epochs, not of those so far.
std::vector<FigureDifference> figure_differences(const RunFigures& first, const RunFigures& second,
                                                 const std::vector<RunFigures>& first_seeds,
                                                 const std::vector<RunFigures>& second_seeds);

// The same of two architectures, by the runs that count of either (counted_runs()): the means are
// set beside each other and not tested, pair_tests.hpp does that.
std::vector<FigureDifference> mean_differences(const std::vector<RunFigures>& first,
                                               const std::vector<RunFigures>& second);

std::string_view to_string(Movement movement);  // equal, within seed noise, ...

}  // namespace lockstep::reports
