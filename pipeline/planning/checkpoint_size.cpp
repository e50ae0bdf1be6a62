#include "pipeline/planning/checkpoint_size.hpp"

#include <variant>

namespace lockstep::pipeline {

namespace {

std::int64_t slots_of_rule(const trainer::OptimizerConfig& optimizer) {
    if (const auto* sgd = std::get_if<trainer::SgdConfig>(&optimizer.rule))
        return sgd->momentum > 0 ? 1 : 0;
    if (const auto* rmsprop = std::get_if<trainer::RmspropConfig>(&optimizer.rule))
        return rmsprop->momentum > 0 ? 2 : 1;
    const bool has_one = std::holds_alternative<trainer::LionConfig>(optimizer.rule) ||
                         std::holds_alternative<trainer::AdagradConfig>(optimizer.rule);
    return has_one ? 1 : 2;
}

}  // namespace

std::int64_t slot_count(const trainer::OptimizerConfig& optimizer) {
    return slots_of_rule(optimizer) + (trainer::has_average(optimizer) ? 1 : 0) +
           (optimizer.gradient_accumulation_steps > 1 ? 1 : 0);
}

std::int64_t least_checkpoint_bytes(const PlannedRun& planned) {
    return std::int64_t{sizeof(float)} *
           (planned.parameters +
            slot_count(planned.run.config.train.optimizer) * planned.trainable_parameters);
}

}  // namespace lockstep::pipeline
