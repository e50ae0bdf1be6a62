#include "pipeline/settings/words.hpp"

#include <variant>

namespace lockstep::pipeline {
namespace {

template <class... Functions>
struct Overloaded : Functions... {
    using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;  // clang 14 wants to be told

}  // namespace

std::string_view optimizer_word(const trainer::OptimizerConfig& optimizer) {
    return std::visit(Overloaded{
                          [](const trainer::SgdConfig&) { return "sgd"; },
                          [&](const trainer::AdamConfig&) {
                              return optimizer.weight_decay > 0.0 ? "adamw" : "adam";
                          },
                          [](const trainer::RmspropConfig&) { return "rmsprop"; },
                      },
                      optimizer.rule);
}

std::string_view schedule_word(const trainer::ScheduleConfig& schedule) {
    return std::visit(Overloaded{
                          [](const trainer::ConstantSchedule&) { return "constant"; },
                          [](const trainer::StepSchedule&) { return "step"; },
                          [](const trainer::ExponentialSchedule&) { return "exponential"; },
                          [](const trainer::CosineSchedule&) { return "cosine"; },
                          [](const trainer::PiecewiseSchedule&) { return "piecewise"; },
                          [](const trainer::OneCycleSchedule&) { return "one_cycle"; },
                          [](const trainer::PlateauSchedule&) { return "reduce_on_plateau"; },
                      },
                      schedule.shape);
}

std::string_view layer_word(const trainer::LayerConfig& layer) {
    return std::visit(
        Overloaded{
            [](const trainer::Conv2dConfig&) { return "conv2d"; },
            [](const trainer::PoolingConfig& pooling) {
                return pooling.kind == trainer::PoolingKind::max ? "max_pooling2d"
                                                                 : "average_pooling2d";
            },
            [](const trainer::BatchNormalizationConfig&) { return "batch_normalization"; },
            [](const trainer::DropoutConfig&) { return "dropout"; },
            [](const trainer::FlattenConfig&) { return "flatten"; },
            [](const trainer::DenseConfig&) { return "dense"; },
            [](const trainer::ActivationConfig&) { return "activation"; },
            [](const trainer::GlobalPoolingConfig& pooling) {
                return pooling.kind == trainer::PoolingKind::max ? "global_max_pooling2d"
                                                                 : "global_average_pooling2d";
            },
            [](const trainer::MergeConfig& merge) { return word_of(merge.kind).data(); },
        },
        layer.kind);
}

}  // namespace lockstep::pipeline
