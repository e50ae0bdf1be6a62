#pragma once

// Runs of the store as TensorBoard has them.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "reports/tables/setting_columns.hpp"
#include "storage/exports/tensorboard_hparams.hpp"
#include "storage/records/records.hpp"

namespace lockstep::storage {
struct RunDetails;
}

namespace lockstep::pipeline {

// Curves by the folder that they stand in, below the run's, with Keras' tags and steps [1].
//   train        epoch_loss, epoch_accuracy, epoch_learning_rate; batch_loss and batch_accuracy by
//                step, at the time of their epoch's end
//   validation   epoch_loss, epoch_accuracy
//   test         the same, one point at the last epoch
// A folder without a point is not among them.
// [1] keras/src/callbacks/tensorboard.py
std::map<std::string, std::vector<storage::ScalarEvent>> tensorboard_curves(
    const storage::RunDetails& details, const std::vector<storage::StepRow>& steps);

// The figures that the dashboard HParams shows of a run: the last ones of its curves.
std::vector<storage::HparamsMetric> tensorboard_metrics();

// The settings in which runs differ (differing_settings()) under their short names, and "design",
// which tells networks apart. Seeds are no settings there: they make a group.
struct RunHparams {
    std::vector<storage::Hparam> hparams;
    std::map<std::string, std::map<std::string, storage::HparamValue>> by_run;
    std::map<std::string, std::string> groups;  // of runs; equal for seeds of a design
};
//   settings   runs_with_settings(); those not in `runs` are passed over
RunHparams run_hparams(reports::SettingsTable settings, const std::set<std::string>& runs);

storage::HparamsSession tensorboard_session(const storage::RunDetails& details,
                                            const RunHparams& hparams);

}  // namespace lockstep::pipeline
