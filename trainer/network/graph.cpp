#include "trainer/network/graph.hpp"

#include <algorithm>

namespace lockstep::trainer {

std::size_t Graph::add_input(const Layout& layout, bool needs_diff) {
    values_.push_back(
        {.layout = layout, .producer = {}, .consumers = {}, .needs_diff = needs_diff});
    return values_.size() - 1;
}

std::size_t Graph::add(Node node) {
    bool needs_diff = node.trained.floats > 0;
    for (const std::size_t src : node.src) {
        values_[src].consumers.push_back(nodes_.size());
        needs_diff = needs_diff || values_[src].needs_diff;
    }
    node.dst = values_.size();
    values_.push_back({.layout = node.layer->dst(),
                       .producer = nodes_.size(),
                       .consumers = {},
                       .needs_diff = needs_diff});
    nodes_.push_back(std::move(node));
    return nodes_.back().dst;
}

bool Graph::masks_src_relu(const Node& node) const {
    if (!node.layer->can_mask_src_relu() || node.src.size() != 1) return false;
    const Value& src = values_[node.src.front()];
    return src.consumers.size() == 1 && src.producer.has_value() &&
           nodes_[*src.producer].layer->makes_relu();
}

bool Graph::is_diff_dst_masked(const Node& node) const {
    const std::vector<std::size_t>& consumers = values_[node.dst].consumers;
    return consumers.size() == 1 && node.layer->makes_relu() &&
           masks_src_relu(nodes_[consumers.front()]);
}

}  // namespace lockstep::trainer
