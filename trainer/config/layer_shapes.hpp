#pragma once

// The output of one layer, its parameters and its floating-point operations.

#include <string>

#include "trainer/config/architecture.hpp"

namespace lockstep::trainer {

// Why a layer cannot take its input; the caller adds the layer's name and shape.
struct Misfit {
    std::string reason;
};

// Completes `layer`, whose name and inputs are set. Throws Misfit.
void infer_layer(const LayerConfig& config, LayerShape& layer);

}  // namespace lockstep::trainer
