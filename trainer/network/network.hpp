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
    // Whether some layer in front of this one is trained: the one place where it is decided who
    // computes which gradient. Without it a layer computes those of its own parameters alone, and
    // none if it has none.
    bool needs_diff_src(std::size_t layer) const { return layer > first_trained_; }
    int classes() const { return classes_; }
    Parameters& parameters() { return parameters_; }
    const Parameters& parameters() const { return parameters_; }

private:
    ComputeEngine engine_;
    Parameters parameters_;
    std::vector<std::unique_ptr<Layer>> layers_;
    std::size_t first_trained_;  // the number of layers, if none is
    int classes_;
};

}  // namespace lockstep::trainer
