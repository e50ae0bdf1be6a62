#pragma once

// What the source of an architecture printed. Computes; prints nothing.

#include <optional>
#include <string>

namespace lockstep::reports {

// A figure that the source of an architecture printed.
struct PrintedFigure {
    double value = 0.0;
    std::string metric;  // test_accuracy, val_accuracy, accuracy
};

// The printed figure to set beside ours, from the expected ones as JSON: the accuracy on the test
// set, else the best or last one on the validation set, else the last one of training.
std::optional<PrintedFigure> printed_figure(const std::string& expected_json);

}  // namespace lockstep::reports
