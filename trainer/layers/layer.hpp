#pragma once

// What every kind of layer is, to a network and to a plan.
//
// A Layer belongs to a network: it knows its layouts and owns its tensors' formats. For each size
// of batch it is bound once to buffers, which gives a LayerPass: the calls of one forward and one
// backward pass, with nothing left to decide.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "trainer/determinism/batch_geometry.hpp"
#include "trainer/exchange/communicator.hpp"
#include "trainer/exchange/stopwatch.hpp"
#include "trainer/kernels/layout.hpp"
#include "trainer/parameters/parameters.hpp"

namespace lockstep::trainer {

struct StepContext {
    std::int64_t step = 0;  // updates made before this one, in the whole run
};

class LayerPass {
public:
    virtual ~LayerPass() = default;
    virtual void forward(const StepContext& context) = 0;
    // Reads diff_dst (and may change it), writes diff_src and the shards' parameter gradients. Only
    // called where one of them is wanted: a pass without parameters may take diff_src as given.
    virtual void backward() = 0;
    // What a step changes beside gradients (moving statistics), once it is known to count: a step
    // that is stopped, or whose loss is no number, leaves everything as it was.
    virtual void commit() {}
};

struct PassBuffers {
    const float* src = nullptr;  // [own samples], in Layer::src()
    float* dst = nullptr;        // [own samples], in Layer::dst()
    // training only
    float* diff_dst = nullptr;
    float* diff_src = nullptr;  // null where no layer in front is trained
};

struct PassContext {
    const BatchGeometry& geometry;
    std::span<const int> filled_shards;  // by rank
    const Communicator& comm;
    StepClocks& clocks;
    Parameters& parameters;
    std::span<float* const> gradients;  // [own shards], each laid out as parameters.trainable()
    std::uint64_t seed = 0;
    bool is_training = false;
    bool masks_src_relu = false;      // src was made by a ReLU: apply its gradient to diff_src
    bool diff_dst_is_masked = false;  // the layer behind has applied this layer's own ReLU
};

class Layer {
public:
    Layer(Layout src, Layout dst) : src_(std::move(src)), dst_(std::move(dst)) {}
    virtual ~Layer() = default;

    const Layout& src() const { return src_; }
    const Layout& dst() const { return dst_; }

    // dst is src under another name: no pass is bound.
    virtual bool is_identity() const { return false; }
    // dst was made by a ReLU that this layer computes along.
    virtual bool makes_relu() const { return false; }
    virtual bool has_parameters() const { return false; }
    // The backward pass can apply the ReLU gradient of the layer in front, for nothing.
    virtual bool can_mask_src_relu() const { return false; }

    virtual std::unique_ptr<LayerPass> bind(const PassBuffers& buffers,
                                            const PassContext& context) const = 0;

private:
    Layout src_;
    Layout dst_;
};

// Makes the layer for a config, declaring its tensors. `src` is how its input arrives; where the
// layer wants another layout, it says so by src() and the plan puts a copy in between.
struct LayerSetting {
    const LayerConfig& config;
    const LayerShape& shape;
    std::uint32_t index;  // in the network
    int batch;            // samples of a whole batch
    bool is_last;         // the loss follows: a softmax is left to it
    bool needs_diff_src;  // a layer in front is trained
};
class ComputeEngine;
std::unique_ptr<Layer> make_layer(const LayerSetting& setting, const Layout& src,
                                  ComputeEngine& engine, Parameters& parameters);

// The gradient of one tensor in every own shard's buffer.
std::vector<float*> shard_gradients(const PassContext& context, std::size_t tensor);

}  // namespace lockstep::trainer
