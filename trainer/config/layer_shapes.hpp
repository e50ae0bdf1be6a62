#pragma once

// The output of one layer, its parameters and its floating-point operations.

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/config/architecture.hpp"

namespace lockstep::trainer {

// Why a layer cannot take its input; the caller adds the layer's name and shape.
struct Misfit {
    std::string reason;
};

ParameterShape trainable(std::string name, std::vector<std::int64_t> shape,
                         const InitializerConfig& initializer);
// Throws Misfit for a layer whose sizes or operations could not be counted.
void require_countable_layer(const LayerShape& layer);

// Completes `layer`, whose name and inputs are set. Throws Misfit.
void infer_layer(const LayerConfig& config, LayerShape& layer);

}  // namespace lockstep::trainer
