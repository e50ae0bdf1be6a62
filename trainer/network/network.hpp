#pragma once

// A network: its layers in order, over one set of parameters. It computes nothing itself; a
// StepPlan binds it to a batch.

#include <memory>
#include <span>
#include <vector>

#include "trainer/kernels/compute_engine.hpp"
#include "trainer/layers/layer.hpp"
#include "trainer/parameters/parameters.hpp"

namespace lockstep::trainer {

class Network {
public:
    // Lays out the layers for batches of `batch` samples over all ranks; parameters are zero.
    // Throws ShapeError as infer_shapes() does.
    Network(std::span<const LayerConfig> layers, const Shape& input, int classes, int batch);

    const std::vector<std::unique_ptr<Layer>>& layers() const { return layers_; }
    const Layout& input() const { return layers_.front()->src(); }
    int classes() const { return classes_; }
    Parameters& parameters() { return parameters_; }
    const Parameters& parameters() const { return parameters_; }

private:
    ComputeEngine engine_;
    Parameters parameters_;
    std::vector<std::unique_ptr<Layer>> layers_;
    int classes_;
};

}  // namespace lockstep::trainer
