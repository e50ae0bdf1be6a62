#pragma once

#include "pipeline/verbs/options.hpp"

namespace lockstep::pipeline {

// `lockstep export tensorboard --out DIR`: curves as Keras' TensorBoard callback writes them, in
// DIR/<run>/train and DIR/<run>/validation. Tags epoch_loss, epoch_accuracy and
// epoch_learning_rate, steps counted from 0. A second export replaces the files of the first.
int export_tensorboard(const ExportTensorboardOptions& options);

}  // namespace lockstep::pipeline
