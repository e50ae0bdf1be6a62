#pragma once

// The network of a run as a graph to draw: layers in a row are one node.

#include <cstddef>
#include <string>
#include <vector>

#include "reports/figures/config_text.hpp"

namespace lockstep::reports {

struct NetworkNode {
    std::vector<std::string> lines;    // a layer each: "conv2d 16, 3x3"
    std::vector<std::size_t> sources;  // nodes in front; the first node is the input
    std::size_t depth = 0;             // the longest way from the input, in nodes
};

// Of a run's effective configuration. A node ends where its value has several readers or none, and
// a new one begins where a layer has several sources. Empty for a chain, which is a table already.
std::vector<NetworkNode> network_graph(const std::vector<ConfigValue>& config);

}  // namespace lockstep::reports
