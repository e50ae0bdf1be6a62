#pragma once

// The tables of [train] that are a page each: optimizer, schedule, and what a monitor watches.

#include "pipeline/experiment/sections.hpp"

namespace lockstep::pipeline {

//   epochs   of the run
trainer::OptimizerConfig read_optimizer(const Table& train, int epochs, ReadContext context);

// [train] class_weights, of these classes: weights of all of them, in the order of their labels.
trainer::ClassWeightConfig read_class_weights(TableReader& train,
                                              const std::vector<std::string>& class_names);

// Which figures a run's epochs have.
struct EpochFigures {
    bool has_validation = false;
    bool has_top_5 = false;  // validation's, of more than five classes
};

struct ScheduleContext {
    int epochs = 1;  // of the run
    EpochFigures figures{};
};
trainer::ScheduleConfig read_schedule(const Table& train, const ScheduleContext& run,
                                      ReadContext context);

// Watches val_loss, like Keras, unless the table says otherwise. A figure that does not exist is a
// problem at `monitor`, or, where that is not written, at the table itself (`holder`).
trainer::MonitorConfig read_monitor(TableReader& reader, const Origin& holder,
                                    const EpochFigures& figures);

}  // namespace lockstep::pipeline
