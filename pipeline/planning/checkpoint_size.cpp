#include "pipeline/planning/checkpoint_size.hpp"

#include <variant>

namespace lockstep::pipeline {

std::int64_t slot_count(const trainer::OptimizerConfig& optimizer) {
    if (std::holds_alternative<trainer::AdamConfig>(optimizer.rule)) return 2;
    if (const auto* rmsprop = std::get_if<trainer::RmspropConfig>(&optimizer.rule)) {
        return rmsprop->momentum > 0 ? 2 : 1;
    }
    return std::get<trainer::SgdConfig>(optimizer.rule).momentum > 0 ? 1 : 0;
}

std::int64_t least_checkpoint_bytes(const PlannedRun& planned) {
    return std::int64_t{sizeof(float)} *
           (planned.parameters +
            slot_count(planned.run.config.train.optimizer) * planned.trainable_parameters);
}

}  // namespace lockstep::pipeline
