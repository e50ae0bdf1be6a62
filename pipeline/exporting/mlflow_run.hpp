#pragma once

// A run of the store as one of MLflow's.

#include <string>
#include <vector>

#include "storage/exports/mlflow_files.hpp"
#include "storage/records/records.hpp"

namespace lockstep::storage {
struct RunDetails;
}

namespace lockstep::pipeline {

// Params: every effective setting. Metrics: Keras' figures of an epoch with epochs counted from 0,
// as MLflow's own logging of Keras does; batch_loss and batch_accuracy by step where recorded, at
// the time of their epoch's end; figures of the whole run at its last epoch. Tags: the run's name
// and notes where MLflow shows them, and "lockstep.*".
//   experiment   in whose list it is exported
storage::MlflowRun mlflow_run(const std::string& experiment, const storage::RunDetails& details,
                              const std::vector<storage::StepRow>& steps);

// Milliseconds since 1970 of a time as the store writes it; 0 for any other text.
std::int64_t unix_milliseconds(std::string_view utc);

}  // namespace lockstep::pipeline
