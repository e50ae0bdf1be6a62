#pragma once

// The five networks of experiments/tutorials.toml, as the trainer's settings.

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/config/train_config.hpp"

namespace lockstep::tests {

struct TutorialNetwork {
    std::string name;
    int classes;
    trainer::OptimizerConfig optimizer;
    std::int64_t parameters;  // Keras' "Total params"
    std::vector<trainer::LayerConfig> layers;
};

// dropout: false leaves the dropout layers out.
std::vector<TutorialNetwork> tutorial_networks(bool has_dropout);

}  // namespace lockstep::tests
