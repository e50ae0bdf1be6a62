#pragma once

// What a report shows of one run, computed from its rows. Plain values; prints nothing.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "reports/figures/config_text.hpp"
#include "reports/figures/design.hpp"
#include "reports/figures/printed_figure.hpp"
#include "reports/figures/statistics.hpp"
#include "reports/figures/test_set.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

struct EpochFigures {
    int epoch = 0;
    double loss = 0.0;
    double accuracy = 0.0;
    std::optional<double> val_loss{};
    std::optional<double> val_accuracy{};
    double learning_rate = 0.0;
    double epoch_seconds = 0.0;
    double elapsed_seconds = 0.0;  // of this and all epochs before
    double images_per_second = 0.0;
    double stopped_seconds = 0.0;  // in which a rank stood still
};

// The best one is the first of the highest accuracy, the lowest loss; a NaN is never the best, nor
// the accuracy beside a val_loss that is one.
struct BestAndFinal {
    std::optional<double> best{};
    std::optional<double> final{};  // of the last epoch; may be NaN
};

// Seconds of all epochs together.
struct TimeShares {
    double compute = 0.0;     // training without exchange and data
    double exchange = 0.0;    // waiting for other ranks included
    double data = 0.0;        // gathering samples
    double evaluation = 0.0;  // after the epochs, and writing
    double total() const { return compute + exchange + data + evaluation; }
};

struct RunFigures {
    storage::RunRow run;
    // In whose lists it stands: also those that another experiment's training of it was found for.
    std::set<std::string> experiments;
    std::vector<ConfigValue> config;
    std::string design_name;  // design_name_of()
    Design design;
    std::string unselected_settings;  // equal where nothing but the choice of the epoch differs
    TestSet test_set;                 // what was tested on
    // Test figures are of the mean over views of each image, as data.test_views says; "" where they
    // are of each image as it is.
    std::string test_views;

    std::vector<EpochFigures> epochs;
    BestAndFinal loss, accuracy, val_loss, val_accuracy;
    std::optional<int> best_epoch{};  // by val_accuracy, or by accuracy where nothing validates
    std::optional<double> test_loss{};
    std::optional<double> test_accuracy{};
    std::optional<double> test_top_5_accuracy{};  // of more than five classes
    std::optional<std::int64_t> test_count{};
    std::optional<int> weights_epoch{};       // the epoch that was tested
    std::optional<Proportion> test_right{};   // test_accuracy as a count
    std::optional<Interval> test_interval{};  // Wilson's, of test_accuracy; none where that is the
                                              // best of several epochs, chosen by the test set
    double seconds = 0.0;                     // of all epochs
    double images_per_second = 0.0;           // trained samples by seconds of training
    double stopped_seconds = 0.0;             // of all epochs: times and rates are disturbed
    TimeShares time;

    int ranks = 0;  // of the latest attempt
    std::vector<storage::AttemptRow> attempts;
    std::vector<storage::MetricRow> metrics;
    std::vector<storage::ArtifactRow> artifacts;
    std::vector<storage::EventRow> events;
    std::vector<std::string> tags;

    bool is_finished() const { return run.state == storage::RunState::finished; }
    bool has_epochs() const { return !epochs.empty(); }
};

RunFigures run_figures(const storage::RunDetails& details);

// The figures a source printed after each epoch, by name (accuracy, val_loss, ...); empty where it
// printed none or only one.
std::vector<double> printed_curve(const std::string& expected_json, std::string_view name);

// Seconds of training until the validation accuracy first reached `accuracy`.
std::optional<double> seconds_to_accuracy(const RunFigures& run, double accuracy);

}  // namespace lockstep::reports
