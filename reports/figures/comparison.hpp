#pragma once

// Runs side by side, as plain values. Computes; prints nothing.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/records/records.hpp"

namespace lockstep::reports {

// What the store knows of one run.
struct RunFacts {
    storage::RunRow run;
    std::vector<storage::EpochRow> epochs;    // in order
    std::vector<storage::MetricRow> metrics;  // of the run's end; empty while it goes on
};

// A figure that the source of an architecture printed.
struct PrintedFigure {
    double value = 0.0;
    std::string metric;  // test_accuracy, val_accuracy, accuracy
};

struct ComparedRun {
    std::string run;
    std::string name;
    std::int64_t seed = 0;
    storage::RunState state = storage::RunState::queued;
    std::int64_t parameters = 0;
    int epochs = 0;  // trained
    int epochs_planned = 0;
    std::optional<double> best_val_accuracy{};
    std::optional<int> best_epoch{};  // of best_val_accuracy, the first one
    std::optional<double> test_accuracy{};
    std::optional<double> test_loss{};
    std::optional<PrintedFigure> printed{};
    double seconds = 0.0;            // of all epochs
    double images_per_second = 0.0;  // trained samples per second of training, over all epochs
    bool selected_on_test_set = false;
};

struct Comparison {
    std::vector<ComparedRun> runs;  // in the order given
};

Comparison compare(const std::vector<RunFacts>& runs);

// The printed figure to set beside ours, from the expected ones as JSON: the accuracy on the test
// set, else the best or last one on the validation set, else the last one of training.
std::optional<PrintedFigure> printed_figure(const std::string& expected_json);

// One row a run, for the end of a training: narrow enough for a terminal. A `*` behind the name
// marks a run that chose its weights or its last epoch by figures of the test set: its test
// accuracy flatters.
storage::Table results_table(const Comparison& comparison);

}  // namespace lockstep::reports
