#pragma once

// A network: its layers as a graph, over one set of parameters. It computes nothing itself; a
// StepPlan binds it to a batch.

#include <cstddef>
#include <span>

#include "trainer/kernels/compute_engine.hpp"
#include "trainer/network/graph.hpp"
#include "trainer/parameters/parameters.hpp"

namespace lockstep::trainer {

class Network {
public:
    // Lays out the layers; parameters are zero.
    //   wants_diff_input   a plan also computes the gradient by the input
    // Throws ShapeError as infer_shapes() does.
    Network(std::span<const LayerConfig> layers, const Shape& input, int classes,
            bool wants_diff_input = false);

    const Graph& graph() const { return graph_; }
    std::size_t input_value() const { return 0; }
    std::size_t output_value() const { return graph_.values().size() - 1; }
    const Layout& input() const { return graph_.values()[input_value()].layout; }
    // Rows of classes: what the loss reads.
    const Layout& output() const { return graph_.values()[output_value()].layout; }
    int classes() const { return classes_; }
    Parameters& parameters() { return parameters_; }
    const Parameters& parameters() const { return parameters_; }

private:
    ComputeEngine engine_;
    Parameters parameters_;
    Graph graph_;
    int classes_;
};

}  // namespace lockstep::trainer
