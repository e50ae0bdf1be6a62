#pragma once

// oneDNN's calls of one bound convolution. Copies in other layouts stand around a call where oneDNN
// has a fast kernel for those only.

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "trainer/determinism/batch_geometry.hpp"
#include "trainer/kernels/linear_kernel.hpp"
#include "trainer/kernels/onednn.hpp"

namespace lockstep::trainer {

class OneDnnCalls : public LinearCalls {
public:
    using Memory = dnnl::memory;
    using PrimitiveDesc = dnnl::primitive_desc_base;

    //   weights, bias   their layouts in the parameters and in the shards' gradients
    OneDnnCalls(OneDnn& dnn, const Memory::desc& weights, const Memory::desc& bias,
                LinearBuffers buffers)
        : dnn_(dnn), weights_(weights), bias_(bias), buffers_(std::move(buffers)) {}

    const LinearBuffers& buffers() const { return buffers_; }

    // One call each. src, dst and their gradients: of the call's samples.
    void add_forward(const PrimitiveDesc& pd, const Memory& src, const Memory& dst);
    void add_backward_data(const PrimitiveDesc& pd, const Memory& diff_dst, const Memory& diff_src);
    // shard: the number of its gradients in the buffers
    void add_backward_weights(const PrimitiveDesc& pd, std::size_t shard, const Memory& src,
                              const Memory& diff_dst);

    void forward() override { run(forward_); }
    void backward_data() override {
        run(weight_copies_);
        run(backward_data_);
    }
    void backward_weights() override { run(backward_weights_); }

private:
    using Calls = std::vector<OneDnnCall>;

    void run(const Calls& calls) const {
        for (const OneDnnCall& call : calls) call.run(dnn_.stream.get());
    }
    // `own` itself if it has that layout, else a memory of it in the workspace.
    Memory in_layout(const Memory::desc& wanted, const Memory& own, Workspace& workspace);
    // The weights in that layout: copied once a pass where it is not their own. Calls of two sizes
    // may want two.
    Memory weights_in(const Memory::desc& wanted);

    OneDnn& dnn_;
    Memory::desc weights_, bias_;
    LinearBuffers buffers_;
    Calls forward_, weight_copies_, backward_data_, backward_weights_;
    std::vector<std::pair<Memory, AlignedArray<float>>> copied_weights_;
    Workspace raw_diff_dst_, raw_diff_src_, raw_diff_weights_;
};

// The samples of each call: one range a call.
struct LinearRanges {
    std::span<const SampleRange> forward, backward_data;
    std::span<const SampleRange> shards;  // of the weight gradients, as many as there are buffers
};

// All calls of a kernel. Primitives makes those for n samples, forward_of(n) and so on, and the
// memories of a range of samples, src(range, data) and dst(range, data).
template <class Primitives>
std::unique_ptr<OneDnnCalls> make_linear_calls(Primitives primitives, OneDnnCalls empty,
                                               const LinearRanges& ranges) {
    auto calls = std::make_unique<OneDnnCalls>(std::move(empty));
    const LinearBuffers& b = calls->buffers();
    for (const SampleRange& range : ranges.forward)
        calls->add_forward(primitives.forward_of(range.count), primitives.src(range, b.src),
                           primitives.dst(range, b.dst));
    if (b.diff_src != nullptr)
        for (const SampleRange& range : ranges.backward_data)
            calls->add_backward_data(primitives.backward_data_of(range.count),
                                     primitives.dst(range, b.diff_dst),
                                     primitives.src(range, b.diff_src));
    for (std::size_t i = 0; i < b.diff_weights.size(); ++i) {
        const SampleRange& shard = ranges.shards[i];
        calls->add_backward_weights(primitives.backward_weights_of(shard.count), i,
                                    primitives.src(shard, b.src),
                                    primitives.dst(shard, b.diff_dst));
    }
    return calls;
}

}  // namespace lockstep::trainer
