#pragma once

// oneDNN's calls of one bound convolution. Copies in other layouts stand around a call where oneDNN
// has a fast kernel for those only.

#include <utility>
#include <vector>

#include "trainer/kernels/linear_kernel.hpp"
#include "trainer/kernels/onednn.hpp"

namespace lockstep::trainer {

class OneDnnCalls : public LinearCalls {
public:
    using Memory = dnnl::memory;
    using PrimitiveDesc = dnnl::primitive_desc_base;

    //   weights, bias   their layouts in the parameters and in the parts' gradients
    OneDnnCalls(OneDnn& dnn, const Memory::desc& weights, const Memory::desc& bias,
                const LinearWeights& values)
        : dnn_(dnn), weights_(weights), bias_(bias), values_(values) {}

    // The calls of the next part; those of gradients only where they are wanted. src, dst and their
    // gradients: of the part's samples.
    void add_part() { parts_.emplace_back(); }
    void add_forward(const PrimitiveDesc& pd, const Memory& src, const Memory& dst);
    void add_backward_data(const PrimitiveDesc& pd, const Memory& diff_dst, const Memory& diff_src);
    void add_backward_weights(const PrimitiveDesc& pd, const LinearPart& part, const Memory& src,
                              const Memory& diff_dst);

    // The weights in the layouts of backward data: once for all parts.
    void prepare_backward() override { run(weight_copies_); }
    void forward(std::size_t part) override { run(parts_[part].forward); }
    void backward_data(std::size_t part) override { run(parts_[part].backward_data); }
    void backward_weights(std::size_t part) override { run(parts_[part].backward_weights); }

private:
    using Calls = std::vector<OneDnnCall>;
    struct Part {
        Calls forward, backward_data, backward_weights;
    };

    void run(const Calls& calls) const {
        for (const OneDnnCall& call : calls) call.run(dnn_.stream.get());
    }
    // `own` itself if it has that layout, else a memory of it in the workspace.
    Memory in_layout(const Memory::desc& wanted, const Memory& own, Workspace& workspace);
    // The weights in that layout: copied once a pass where it is not their own. Parts of two sizes
    // may want two.
    Memory weights_in(const Memory::desc& wanted);

    OneDnn& dnn_;
    Memory::desc weights_, bias_;
    LinearWeights values_;
    std::vector<Part> parts_;
    Calls weight_copies_;
    std::vector<std::pair<Memory, AlignedArray<float>>> copied_weights_;
    Workspace raw_src_, raw_diff_dst_, raw_diff_src_, raw_diff_weights_;
};

}  // namespace lockstep::trainer
