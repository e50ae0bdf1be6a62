#pragma once

// Architectures side by side: the runs of one design, which differ in their seed alone, become one
// entry with means and intervals. Computes; prints nothing.

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "reports/figures/printed_figure.hpp"
#include "reports/figures/run_figures.hpp"
#include "reports/figures/seed_groups.hpp"
#include "reports/figures/statistics.hpp"

namespace lockstep::reports {

// Where an interval comes from.
enum class IntervalKind {
    none,
    over_seeds,  // t interval of the mean: what other seeds would give
    of_one_run,  // Wilson's: what other test images would give; knows nothing of seeds
};

struct Measured {
    Estimate estimate;  // over the runs
    std::optional<Interval> interval{};
    IntervalKind kind = IntervalKind::none;
    std::string why_none{};  // in words, where there is a figure and no interval
};

// What the source printed beside ours of the same metric.
struct PrintedComparison {
    PrintedFigure printed;
    Measured ours;
    std::optional<bool> is_covered{};  // by our interval; none where there is no interval
};

// A test accuracy that no choice by the test set has touched.
struct CleanFigure {
    double accuracy = 0.0;
    std::string from;  // in words
};

struct ArchitectureFigures {
    std::string name;
    std::string source;
    std::string design_name;  // `name` without what tells equal ones apart
    Design design;
    TestSet test_set;
    std::string state{};                  // "finished", or "2 finished, 1 failed"
    std::vector<std::size_t> runs{};      // places in the list given, by seed
    std::vector<RepeatedRun> repeats{};   // not counted: the training of one of `runs`
    std::set<std::string> experiments{};  // in whose lists one of them stands
    int finished = 0;
    bool is_preliminary = false;  // no run is finished: figures are those so far
    bool validates_on_test_set = false;
    bool selected_on_test_set = false;

    // Over the finished runs; over all that have epochs where none is finished.
    Measured test_accuracy{};
    Estimate test_loss{}, test_top_5_accuracy{};
    Estimate accuracy_best{}, accuracy_final{}, loss_best{}, loss_final{};
    Estimate val_accuracy_best{}, val_accuracy_final{}, val_loss_best{}, val_loss_final{};
    Estimate epochs{}, seconds{}, images_per_second{};
    double stopped_seconds = 0.0;  // of these runs together: times and rates are disturbed
    std::optional<PrintedComparison> printed{};
    std::optional<CleanFigure> clean{};  // where it was selected on the test set and one is known
};

// The runs whose figures an entry shows: the finished ones, all that have epochs where none is.
std::vector<std::size_t> counted_runs(const std::vector<RunFigures>& runs,
                                      const ArchitectureFigures& entry);

// The places of all runs in the order of the entries, seeds inside: each training once.
std::vector<std::size_t> places_of_trainings(const std::vector<ArchitectureFigures>& entries);

// By test set, then by mean test accuracy, best first; those without one at the end in the order of
// their runs. Test sets come in the order of their first run.
std::vector<ArchitectureFigures> leaderboard(const std::vector<RunFigures>& runs);

}  // namespace lockstep::reports
