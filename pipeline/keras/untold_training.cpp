#include "pipeline/keras/untold_training.hpp"

#include <algorithm>
#include <variant>

namespace lockstep::pipeline {
namespace {

bool is_constant(const trainer::ScheduleConfig& schedule) {
    return std::holds_alternative<trainer::ConstantSchedule>(schedule.shape) &&
           schedule.warmup_epochs == 0.0;
}

bool has_rate_of_its_own(const trainer::LayerConfig& layer) {
    return layer.learning_rate_factor != 1.0 || !layer.trainable_epochs.empty();
}

// Keras' Muon never takes the kernels of convolutions.
bool takes_convolutions(const trainer::OptimizerConfig& optimizer) {
    const auto* muon = std::get_if<trainer::MuonConfig>(&optimizer.rule);
    return muon != nullptr && !muon->exclude_convolutions;
}

bool decays(const trainer::OptimizerConfig& optimizer) {
    const auto* muon = std::get_if<trainer::MuonConfig>(&optimizer.rule);
    return optimizer.weight_decay > 0.0 || (muon != nullptr && muon->adam_weight_decay > 0.0);
}

}  // namespace

std::vector<std::string> untold_training(const trainer::RunConfig& config) {
    const trainer::OptimizerConfig& optimizer = config.train.optimizer;
    std::vector<std::string> untold;
    const auto add = [&untold](bool is_set, const char* setting) {
        if (is_set) untold.emplace_back(setting);
    };
    add(!is_constant(config.train.schedule), "schedule");
    add(decays(optimizer) && !optimizer.exclude_from_weight_decay.empty(),
        "exclude_from_weight_decay");
    add(takes_convolutions(optimizer), "exclude_convolutions");
    add(!optimizer.learning_rate_factors.empty(), "learning_rate_factors");
    add(std::holds_alternative<trainer::LookaheadConfig>(optimizer.average), "lookahead");
    add(!std::holds_alternative<trainer::EqualClasses>(config.train.class_weights),
        "class_weights");
    add(std::ranges::any_of(config.layers, has_rate_of_its_own),
        "learning_rate_factor and trainable_epochs of layers");
    return untold;
}

}  // namespace lockstep::pipeline
