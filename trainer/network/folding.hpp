#pragma once

// What evaluation leaves out of a graph: layers that change nothing there, and normalizations and
// ReLUs that the convolution in front of them computes along (docs/plan.md).

#include <optional>
#include <vector>

#include "trainer/network/graph.hpp"

namespace lockstep::trainer {

struct EvaluatedNode {
    bool passes_src_on = false;  // its value is its source's: nothing is bound
    std::optional<FoldedNorm> folded{};
};

// By node.
std::vector<EvaluatedNode> evaluated_nodes(const Graph& graph);

}  // namespace lockstep::trainer
