#pragma once

#include <optional>

#include "pipeline/exporting/saved_network.hpp"
#include "pipeline/ranks/launcher.hpp"
#include "reports/tables/table_format.hpp"
#include "trainer/config/train_config.hpp"

namespace lockstep::pipeline {

enum class EvaluatedSplit { test, validation, training };

struct EvaluateOptions {
    SavedNetworkOptions network;
    EvaluatedSplit split = EvaluatedSplit::test;
    // Another data set than the run's own, with the run's classes, found by name; network.data is
    // then its path.
    std::optional<trainer::DatasetName> dataset;
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep evaluate RUN_OR_WEIGHTS`: loss and accuracy of saved weights on a data set. The weights
// are those of a run of the store, or of any Keras weights file with a network of these shapes.
int evaluate(const EvaluateOptions& options, ProcessArguments arguments);

}  // namespace lockstep::pipeline
