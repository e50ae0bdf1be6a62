#pragma once

#include <optional>
#include <string>

#include "pipeline/exporting/saved_network.hpp"
#include "pipeline/ranks/launcher.hpp"
#include "reports/tables/table_format.hpp"
#include "trainer/config/train_config.hpp"

namespace lockstep::pipeline {

enum class EvaluatedSplit { test, validation, training };

// What is counted: everything as one, samples by class, or by class and what they are taken for.
enum class EvaluatedBy { all, classes, confusion };

struct EvaluateOptions {
    SavedNetworkOptions network;
    EvaluatedSplit split = EvaluatedSplit::test;
    // Another data set than the run's own, with the run's classes, found by name; network.data is
    // then its path.
    std::optional<std::string> dataset;
    // Unset: those of the run for its test split, else each image as it is; so figures are those
    // that the run was recorded with.
    std::optional<trainer::TestViews> views;
    std::optional<EvaluatedBy> by;  // unset: all three for people, `all` for programs
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep evaluate RUN_OR_WEIGHTS`: loss and accuracy of saved weights on a data set, of each
// class too, with the figures of the report. The weights are those of a run of the store, or of any
// Keras weights file with a network of these shapes.
int evaluate(const EvaluateOptions& options, ProcessArguments arguments);

}  // namespace lockstep::pipeline
