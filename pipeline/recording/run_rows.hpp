#pragma once

// What training knows, as the rows and arrays the store keeps. Translates; writes nothing.

#include <string>
#include <vector>

#include "pipeline/planning/plan.hpp"
#include "pipeline/recording/provenance.hpp"
#include "storage/database/run_database.hpp"
#include "storage/records/records.hpp"
#include "storage/weights/predictions_file.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/environment.hpp"
#include "trainer/train.hpp"
#include "trainer/train_observer.hpp"

namespace lockstep::pipeline {

// Where and with what a run is trained. Nothing of it may reach a .h5 file but the versions.
struct RunSetting {
    std::string experiment;
    trainer::ComputeEnvironment environment;
    int ranks = 1;
    bool is_side_by_side = false;  // with other runs
    std::string job_token{};       // of this start of Lockstep
    Provenance provenance{};
};

// The counts of samples are the real ones where `data` is given, the estimated ones otherwise.
storage::RunRow run_row(const PlannedRun& planned, const std::string& experiment,
                        const trainer::RunData* data);

// An attempt that this process starts now; of which run, and where in it, is not known yet.
storage::AttemptRow attempt_row(const RunSetting& setting);

// An epoch that ends now.
storage::EpochRow epoch_row(const std::string& run, int attempt, const trainer::EpochRecord& epoch);

// test_loss, test_accuracy, test_count, weights_epoch; with validation also best_val_accuracy,
// best_epoch (the first one of that accuracy) and best_val_loss; with more than five classes
// test_top_5_accuracy.
std::vector<storage::MetricRow> final_metrics(const std::string& run,
                                              const trainer::TrainOutcome& outcome,
                                              const std::vector<storage::EpochRow>& epochs);

// "test loss nan, val_loss nan in 2 of 3 epochs (first in epoch 2): ..."; "" where all are numbers.
std::string doubts_of(const trainer::TrainOutcome& outcome,
                      const std::vector<storage::EpochRow>& epochs);

// Of the test set, with the images that the report shows: the first 25, and those of the 25 most
// confident mistakes; and a picture of what augmentation makes of training images.
storage::Predictions predictions_of(const trainer::RunConfig& config, const trainer::RunData& data,
                                    const trainer::TrainOutcome& outcome);

}  // namespace lockstep::pipeline
