#pragma once

// A network drawn from the top down, as SVG.

#include <string>
#include <string_view>
#include <vector>

#include "reports/figures/network_graph.hpp"

namespace lockstep::reports {

// Nodes of one depth stand side by side; lines that pass others go round on the right. "" without
// nodes. The bytes are a function of the nodes alone; text is escaped.
std::string network_drawing(const std::vector<NetworkNode>& nodes, std::string_view title);

}  // namespace lockstep::reports
