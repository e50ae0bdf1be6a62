#pragma once

// The tables of [train] that are a page each: optimizer, schedule, and what a monitor watches.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pipeline/experiment/sections.hpp"

namespace lockstep::pipeline {

// A table that is read by its `name`, and the keys that go with it.
struct NamedKeys {
    std::string_view name;
    KeyGroup keys;
};

// Which of them the table names; `absent` if it names none, null (a problem) if there is no such.
// Whoever finds the name wrong cannot know the other keys, so they are not looked at.
const NamedKeys* read_name(const Table& table, const std::string& key_prefix,
                           std::span<const NamedKeys> known, std::string_view absent,
                           ReadContext context);

trainer::OptimizerConfig read_optimizer(const Table& train, ReadContext context);

struct ScheduleContext {
    int epochs = 1;  // of the run
    bool has_validation = false;
};
trainer::ScheduleConfig read_schedule(const Table& train, const ScheduleContext& run,
                                      ReadContext context);

// Watches val_loss, like Keras, unless the table says otherwise. A figure that does not exist is a
// problem at `monitor`, or, where that is not written, at the table itself (`holder`).
trainer::MonitorConfig read_monitor(TableReader& reader, const Origin& holder, bool has_validation);

}  // namespace lockstep::pipeline
