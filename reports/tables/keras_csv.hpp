#pragma once

// The log of a training as Keras' CSVLogger writes it, for scripts that read such logs [1].
//
// [1] keras/src/callbacks/csv_logger.py, learning_rate_scheduler.py of Keras 3

#include <span>
#include <string>

#include "storage/records/records.hpp"

namespace lockstep::reports {

// `epoch`, from 0, and Keras' metrics in the order of their names; lines end in CR LF, as Python's
// csv writes them; numbers as Python's repr() does: exact, "nan", "inf". Where nothing validates
// there are the columns val_* with "NA" all the same; val_top_5_accuracy where an epoch has one,
// as Keras has a metric that the model was compiled with.
//   epochs              of one run, in order
//   has_learning_rate   a column learning_rate, which Keras has where a callback changes the rate;
//                       the rate of each epoch's last step
std::string keras_csv(std::span<const storage::EpochRow> epochs, bool has_learning_rate);

}  // namespace lockstep::reports
