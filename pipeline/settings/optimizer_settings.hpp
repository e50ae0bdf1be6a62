#pragma once

// The settings of each optimizer, once: experiment files and Keras' models call them by these keys
// (but exclude_convolutions, which Keras has not), the effective configuration lists them in this
// order, by which runs get their ids.

#include <string_view>
#include <tuple>

#include "pipeline/settings/table_reader.hpp"
#include "trainer/config/train_config.hpp"

namespace lockstep::pipeline {

template <class Rule, class Type>
struct RuleSetting {
    std::string_view key;
    Type Rule::*member;
    RealRange range{0.0, 0.0};  // of a number
};
template <class Rule, class Type>
RuleSetting(std::string_view, Type Rule::*) -> RuleSetting<Rule, Type>;  // clang 14 wants to be
template <class Rule, class Type>                                        // told
RuleSetting(std::string_view, Type Rule::*, RealRange)->RuleSetting<Rule, Type>;

inline constexpr RealRange kFractions{0.0, 1.0, true, false};     // momentum, beta, rho
inline constexpr RealRange kBetasOfLion{0.0, 1.0, false, false};  // with 0 its momentum were idle
inline constexpr RealRange kAccumulators{0.0, 1e6};
inline constexpr RealRange kEpsilons{0.0, 1.0, false, true};
inline constexpr RealRange kDecays{0.0, 100.0};
inline constexpr RealRange kCoefficients{-100.0, 100.0};
inline constexpr RealRange kRates{0.0, 1000.0, false, true};
inline constexpr RealRange kStepsOfNewtonSchulz{0.0, 100.0};

constexpr auto rule_settings(const trainer::SgdConfig*) {
    using Sgd = trainer::SgdConfig;
    return std::tuple{RuleSetting{"momentum", &Sgd::momentum, kFractions},
                      RuleSetting{"nesterov", &Sgd::nesterov}};
}

// Of Adam and Nadam.
template <class Adam>
requires requires(Adam adam) { adam.beta_1 + adam.beta_2 + adam.epsilon; }
constexpr auto rule_settings(const Adam*) {
    return std::tuple{RuleSetting{"beta_1", &Adam::beta_1, kFractions},
                      RuleSetting{"beta_2", &Adam::beta_2, kFractions},
                      RuleSetting{"epsilon", &Adam::epsilon, kEpsilons}};
}

constexpr auto rule_settings(const trainer::RmspropConfig*) {
    using Rmsprop = trainer::RmspropConfig;
    return std::tuple{RuleSetting{"rho", &Rmsprop::rho, kFractions},
                      RuleSetting{"momentum", &Rmsprop::momentum, kFractions},
                      RuleSetting{"epsilon", &Rmsprop::epsilon, kEpsilons}};
}

constexpr auto rule_settings(const trainer::LionConfig*) {
    using Lion = trainer::LionConfig;
    return std::tuple{RuleSetting{"beta_1", &Lion::beta_1, kBetasOfLion},
                      RuleSetting{"beta_2", &Lion::beta_2, kFractions}};
}

constexpr auto rule_settings(const trainer::AdagradConfig*) {
    using Adagrad = trainer::AdagradConfig;
    return std::tuple{RuleSetting{"initial_accumulator_value", &Adagrad::initial_accumulator_value,
                                  kAccumulators},
                      RuleSetting{"epsilon", &Adagrad::epsilon, kEpsilons}};
}

constexpr auto rule_settings(const trainer::MuonConfig*) {
    using Muon = trainer::MuonConfig;
    return std::tuple{RuleSetting{"momentum", &Muon::momentum, kFractions},
                      RuleSetting{"nesterov", &Muon::nesterov},
                      RuleSetting{"epsilon", &Muon::epsilon, kEpsilons},
                      RuleSetting{"adam_beta_1", &Muon::adam_beta_1, kFractions},
                      RuleSetting{"adam_beta_2", &Muon::adam_beta_2, kFractions},
                      RuleSetting{"adam_lr_ratio", &Muon::adam_lr_ratio, kRates},
                      RuleSetting{"ns_steps", &Muon::ns_steps, kStepsOfNewtonSchulz},
                      RuleSetting{"muon_a", &Muon::muon_a, kCoefficients},
                      RuleSetting{"muon_b", &Muon::muon_b, kCoefficients},
                      RuleSetting{"muon_c", &Muon::muon_c, kCoefficients},
                      RuleSetting{"rms_rate", &Muon::rms_rate, kRates},
                      RuleSetting{"exclude_layers", &Muon::exclude_layers},
                      RuleSetting{"exclude_convolutions", &Muon::exclude_convolutions},
                      RuleSetting{"adam_weight_decay", &Muon::adam_weight_decay, kDecays}};
}

// Visits each setting of the rule, in their order: visit(setting), of type RuleSetting<Rule, ...>.
template <class Rule, class Visit>
constexpr void for_each_setting(const Rule& rule, Visit visit) {
    std::apply([&](const auto&... setting) { (visit(setting), ...); }, rule_settings(&rule));
}

}  // namespace lockstep::pipeline
