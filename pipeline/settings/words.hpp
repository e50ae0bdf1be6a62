#pragma once

// The words of experiment files for the trainer's choices, both ways.

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "trainer/config/train_config.hpp"

namespace lockstep::pipeline {

template <class Choice>
struct Word {
    std::string_view word;
    Choice value;
};

inline constexpr std::array<Word<trainer::Padding>, 2> kPaddings{{
    {"valid", trainer::Padding::valid},
    {"same", trainer::Padding::same},
}};
inline constexpr std::array<Word<trainer::Activation>, 11> kActivations{{
    {"linear", trainer::Activation::linear},
    {"relu", trainer::Activation::relu},
    {"softmax", trainer::Activation::softmax},
    {"relu6", trainer::Activation::relu6},
    {"leaky_relu", trainer::Activation::leaky_relu},
    {"elu", trainer::Activation::elu},
    {"gelu", trainer::Activation::gelu},
    {"silu", trainer::Activation::silu},
    {"tanh", trainer::Activation::tanh},
    {"sigmoid", trainer::Activation::sigmoid},
    {"hard_swish", trainer::Activation::hard_swish},
}};
inline constexpr std::array<Word<trainer::Initializer>, 16> kInitializers{{
    {"glorot_uniform", trainer::Initializer::glorot_uniform},
    {"glorot_normal", trainer::Initializer::glorot_normal},
    {"he_uniform", trainer::Initializer::he_uniform},
    {"he_normal", trainer::Initializer::he_normal},
    {"zeros", trainer::Initializer::zeros},
    {"lecun_uniform", trainer::Initializer::lecun_uniform},
    {"lecun_normal", trainer::Initializer::lecun_normal},
    {"random_uniform", trainer::Initializer::random_uniform},
    {"random_normal", trainer::Initializer::random_normal},
    {"truncated_normal", trainer::Initializer::truncated_normal},
    {"orthogonal", trainer::Initializer::orthogonal},
    {"identity", trainer::Initializer::identity},
    {"ones", trainer::Initializer::ones},
    {"constant", trainer::Initializer::constant},
    {"dirac", trainer::Initializer::dirac},
    {"patch_whitening", trainer::Initializer::patch_whitening},
}};
inline constexpr std::array<Word<trainer::Interpolation>, 2> kInterpolations{{
    {"nearest", trainer::Interpolation::nearest},
    {"bilinear", trainer::Interpolation::bilinear},
}};
inline constexpr std::array<Word<trainer::Scale>, 3> kScales{{
    {"unit", trainer::Scale::unit},
    {"raw", trainer::Scale::raw},
    {"standard", trainer::Scale::standard},
}};
inline constexpr std::array<Word<trainer::TestViews>, 3> kTestViews{{
    {"image", trainer::TestViews::image},
    {"mirror", trainer::TestViews::mirror},
    {"mirror_translate", trainer::TestViews::mirror_translate},
}};
inline constexpr std::array<Word<trainer::ExchangeKind>, 3> kExchanges{{
    {"ordered", trainer::ExchangeKind::ordered},
    {"ring", trainer::ExchangeKind::ring},
    {"mpi", trainer::ExchangeKind::mpi},
}};
inline constexpr std::array<Word<trainer::MonitorMode>, 2> kMonitorModes{{
    {"min", trainer::MonitorMode::min},
    {"max", trainer::MonitorMode::max},
}};

// What `inputs` calls the images that a network is given.
inline constexpr std::string_view kNetworkInput = "input";

template <class Choice>
constexpr std::string_view word_in(std::span<const Word<Choice>> words, Choice value) {
    for (const Word<Choice>& word : words) {
        if (word.value == value) return word.word;
    }
    return "?";
}

constexpr std::string_view word_of(trainer::Padding value) {
    return word_in<trainer::Padding>(kPaddings, value);
}
constexpr std::string_view word_of(trainer::Activation value) {
    return word_in<trainer::Activation>(kActivations, value);
}
constexpr std::string_view word_of(trainer::Initializer value) {
    return word_in<trainer::Initializer>(kInitializers, value);
}
constexpr std::string_view word_of(trainer::Scale value) {
    return word_in<trainer::Scale>(kScales, value);
}
constexpr std::string_view word_of(trainer::TestViews value) {
    return word_in<trainer::TestViews>(kTestViews, value);
}
constexpr std::string_view word_of(trainer::ExchangeKind value) {
    return word_in<trainer::ExchangeKind>(kExchanges, value);
}
constexpr std::string_view word_of(trainer::MonitorMode value) {
    return word_in<trainer::MonitorMode>(kMonitorModes, value);
}

// sgd, adam, adamw (an adam that decays weights), rmsprop, lion, adagrad, nadam, muon.
std::string_view optimizer_word(const trainer::OptimizerConfig& optimizer);
// constant, step, exponential, cosine, piecewise, one_cycle, reduce_on_plateau.
std::string_view schedule_word(const trainer::ScheduleConfig& schedule);

}  // namespace lockstep::pipeline
