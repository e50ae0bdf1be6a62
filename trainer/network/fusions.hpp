#pragma once

// Layers in a row that one kernel does together (docs/plan.md).

#include <cstddef>
#include <memory>
#include <span>

#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

struct MadeLayer {
    std::unique_ptr<Layer> layer;
    std::size_t count = 1;  // layers of the network that it stands for
};

// The layer for as many as possible of those that begin with settings[0]: each but the first reads
// the one in front alone, and is its only reader.
MadeLayer make_longest(std::span<const LayerSetting> settings, std::span<const Layout> src,
                       ComputeEngine& engine, Parameters& parameters);

}  // namespace lockstep::trainer
