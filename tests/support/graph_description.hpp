#pragma once

// A small network that is no chain, as a list of parts: what the trainer binds and what the plain
// loops in double compute are made from the same list.

#include <optional>
#include <span>
#include <vector>

#include "tests/support/plain_network.hpp"
#include "trainer/network/network.hpp"

namespace lockstep::tests {

struct GraphPart {
    std::optional<trainer::LayerConfig> layer;  // of one source; none: the sum of all sources
    std::vector<std::size_t> src;               // 0: the input; i + 1: what part i makes
};

struct GraphDescription {
    trainer::Shape input;
    std::vector<GraphPart> parts;  // the last makes the logits
};

// Its gradient by the input is wanted.
trainer::BuildGraph build_of(const GraphDescription& description);

// The logits in training mode.
//   parameters   of all parts, in their order, in Keras' layouts
//   input        [samples, height, width, channels]
Values plain_logits(const GraphDescription& description, std::span<const Values> parameters,
                    const Values& input, int samples);

}  // namespace lockstep::tests
