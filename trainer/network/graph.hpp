#pragma once

// A network as a graph: nodes that compute, values that they read and make. Nodes stand in an order
// in which each comes behind those that make its sources.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

struct Value {
    Layout layout;
    std::optional<std::size_t> producer;  // a node; none: the network's input
    std::vector<std::size_t> consumers;   // nodes, once for each time they read it
    bool needs_diff = false;              // some layer in front, or the caller, wants its gradient
};

// A node's tensors in one of the two arenas of the network's parameters.
struct TensorRange {
    std::size_t first = 0, floats = 0;
};

struct Node {
    std::string name;  // of the layer, or of the first of several
    std::unique_ptr<Layer> layer;
    std::vector<std::size_t> src;  // values
    std::size_t dst = 0;
    TensorRange trained{};   // its tensors' place in Parameters::trainable()
    TensorRange constant{};  // and among those that are not trained
};

class Graph {
public:
    std::size_t add_input(const Layout& layout, bool needs_diff);
    // Returns the value that it makes, in node.layer->dst(). The one place where it is decided who
    // computes which gradient: a value needs one if anything in front of it is trained.
    std::size_t add(Node node);

    const std::vector<Node>& nodes() const { return nodes_; }
    const std::vector<Value>& values() const { return values_; }

    // The node's only source was made by a ReLU whose gradient the node applies to diff_src.
    bool masks_src_relu(const Node& node) const;
    // The node's own ReLU is left to its only consumer.
    bool is_diff_dst_masked(const Node& node) const;

private:
    std::vector<Node> nodes_;
    std::vector<Value> values_;
};

}  // namespace lockstep::trainer
