#pragma once

// The output of one layer, its parameters and its floating-point operations; and of layers that
// may end in anything.

#include <cstdint>
#include <span>
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

// As infer_shapes(), for networks of which it is not known how many classes they have: the end may
// be an image. Throws ShapeError as it does.
Architecture infer_layers(std::span<const LayerConfig> layers, const Shape& input);

}  // namespace lockstep::trainer
