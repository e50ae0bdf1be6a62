#pragma once

// What every kind of layer is, to a network and to a plan: it knows its layouts, owns its tensors'
// formats, and says of which work its passes consist.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "trainer/config/architecture.hpp"
#include "trainer/kernels/layout.hpp"
#include "trainer/layers/factored_weights.hpp"
#include "trainer/layers/pass_builder.hpp"
#include "trainer/parameters/parameters.hpp"

namespace lockstep::trainer {

class Layer {
public:
    Layer(Layout src, Layout dst) : Layer(std::vector{std::move(src)}, std::move(dst)) {}
    Layer(std::vector<Layout> src, Layout dst) : src_(std::move(src)), dst_(std::move(dst)) {}
    virtual ~Layer() = default;

    const Layout& src(std::size_t i = 0) const { return src_[i]; }
    std::size_t sources() const { return src_.size(); }
    const Layout& dst() const { return dst_; }

    // dst is src under another name: nothing is bound. The second: in evaluation.
    virtual bool is_identity() const { return false; }
    virtual bool is_identity_in_evaluation() const { return is_identity(); }
    // dst was made by a ReLU that this layer computes along.
    virtual bool makes_relu() const { return false; }
    // Null but for layers whose gradient of the weights can be formed from factors.
    virtual const FactoredWeights* factored_weights() const { return nullptr; }
    // The backward pass can apply the ReLU gradient of the layer in front, for nothing.
    virtual bool can_mask_src_relu() const { return false; }

    // In evaluation: a normalization by its moving statistics alone, which a layer in front may
    // compute along; a layer that does, and a ReLU behind too; a layer that is such a ReLU.
    virtual std::optional<MovingNorm> moving_norm() const { return {}; }
    virtual bool can_fold_norm() const { return false; }
    virtual bool is_relu() const { return false; }

    // Adds the forward pass and, in training, the backward pass. The layer outlives the plan.
    virtual void bind(PassBuilder& pass) const = 0;

private:
    std::vector<Layout> src_;
    Layout dst_;
};

// A layer of an experiment file, on its way to become a Layer.
struct LayerSetting {
    const LayerConfig& config;
    const LayerShape& shape;
    std::uint32_t index;  // in the network
    bool is_last;         // the loss follows: a softmax is left to it
    bool needs_diff_src;  // a gradient of its input is wanted
};
class ComputeEngine;
// Declares the layer's tensors. `src` is how its inputs arrive; where the layer wants another
// layout, it says so by src() and the network puts a copy in between.
std::unique_ptr<Layer> make_layer(const LayerSetting& setting, std::span<const Layout> src,
                                  ComputeEngine& engine, Parameters& parameters);

}  // namespace lockstep::trainer
