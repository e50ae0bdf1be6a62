#pragma once

// The optimizers by their names, and the keys of each.

#include <array>

#include "pipeline/settings/named_keys.hpp"

namespace lockstep::pipeline {

inline constexpr std::string_view kAdamW = "adamw";  // an adam that decays weights by itself
inline constexpr std::string_view kMuon = "muon";
inline constexpr NamedKeys kAdam{"adam", KeyGroup::optimizer_adam};  // the default
inline constexpr std::array<NamedKeys, 8> kOptimizers{{{"sgd", KeyGroup::optimizer_sgd},
                                                       kAdam,
                                                       {kAdamW, KeyGroup::optimizer_adam},
                                                       {"rmsprop", KeyGroup::optimizer_rmsprop},
                                                       {"lion", KeyGroup::optimizer_lion},
                                                       {"adagrad", KeyGroup::optimizer_adagrad},
                                                       {"nadam", KeyGroup::optimizer_nadam},
                                                       {kMuon, KeyGroup::optimizer_muon}}};

}  // namespace lockstep::pipeline
