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
                          [](const trainer::LionConfig&) { return "lion"; },
                          [](const trainer::AdagradConfig&) { return "adagrad"; },
                          [](const trainer::NadamConfig&) { return "nadam"; },
                          [](const trainer::MuonConfig&) { return "muon"; },
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

}  // namespace lockstep::pipeline
