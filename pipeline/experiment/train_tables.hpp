#pragma once

// The tables of [train] that are a page each: optimizer, schedule, and what a monitor watches.

#include <span>
#include <string_view>

#include "pipeline/experiment/sections.hpp"
#include "pipeline/settings/named_keys.hpp"

namespace lockstep::pipeline {

// A key of [train] that has a name, alone or in a table whose other keys depend on it:
// optimizer = "adam", optimizer = { name = "adam", beta_1 = 0.95 }.
struct NamedTableKind {
    std::string_view key;
    std::span<const NamedKeys> known;
    const NamedKeys& usual;    // where there is no name
    std::string_view example;  // of both ways
};

struct NamedTable {
    const Table& table;      // empty where there is none
    const NamedKeys* named;  // null where the name is unknown, which is a problem
};

NamedTable read_named_table(const Table& train, const NamedTableKind& kind, ReadContext context);

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
