#include "trainer/kernels/linear_calls.hpp"

namespace lockstep::trainer {

dnnl::memory OneDnnCalls::in_layout(const Memory::desc& wanted, const Memory& own,
                                    Workspace& workspace) {
    return wanted == own.get_desc() ? own : workspace.memory(dnn_.engine, wanted);
}

dnnl::memory OneDnnCalls::weights_in(const Memory::desc& wanted) {
    Memory own = dnn_.over(weights_, values_.weights);
    if (wanted == weights_) return own;
    for (const auto& [memory, values] : copied_weights_)
        if (memory.get_desc() == wanted) return memory;
    AlignedArray<float> values(floats_of(wanted));
    Memory copy = dnn_.over(wanted, values.data());
    weight_copies_.push_back(reorder_call(dnn_, own, copy));
    copied_weights_.emplace_back(copy, std::move(values));
    return copy;
}

void OneDnnCalls::add_forward(const PrimitiveDesc& pd, const Memory& src, const Memory& dst) {
    parts_.back().forward.push_back(OneDnnCall(
        dnnl::primitive(pd.get()), {{DNNL_ARG_SRC, src},
                                    {DNNL_ARG_WEIGHTS, dnn_.over(weights_, values_.weights)},
                                    {DNNL_ARG_BIAS, dnn_.over(bias_, values_.bias)},
                                    {DNNL_ARG_DST, dst},
                                    {DNNL_ARG_SCRATCHPAD, dnn_.scratchpad(pd.scratchpad_desc())}}));
}

void OneDnnCalls::add_backward_data(const PrimitiveDesc& pd, const Memory& diff_dst,
                                    const Memory& diff_src) {
    const Memory read = in_layout(pd.diff_dst_desc(0), diff_dst, raw_diff_dst_);
    const Memory written = in_layout(pd.diff_src_desc(0), diff_src, raw_diff_src_);
    Calls& calls = parts_.back().backward_data;
    if (read != diff_dst) calls.push_back(reorder_call(dnn_, diff_dst, read));
    calls.push_back(OneDnnCall(dnnl::primitive(pd.get()),
                               {{DNNL_ARG_DIFF_SRC, written},
                                {DNNL_ARG_WEIGHTS, weights_in(pd.weights_desc(0))},
                                {DNNL_ARG_DIFF_DST, read},
                                {DNNL_ARG_SCRATCHPAD, dnn_.scratchpad(pd.scratchpad_desc())}}));
    if (written != diff_src) calls.push_back(reorder_call(dnn_, written, diff_src));
}

void OneDnnCalls::add_backward_weights(const PrimitiveDesc& pd, const LinearPart& part,
                                       const Memory& src, const Memory& diff_dst) {
    const Memory gradient = dnn_.over(weights_, part.diff_weights);
    const Memory written = in_layout(pd.diff_weights_desc(0), gradient, raw_diff_weights_);
    const Memory read_src = in_layout(pd.src_desc(0), src, raw_src_);
    const Memory read_diff = in_layout(pd.diff_dst_desc(0), diff_dst, raw_diff_dst_);
    Calls& calls = parts_.back().backward_weights;
    if (read_src != src) calls.push_back(reorder_call(dnn_, src, read_src));
    if (read_diff != diff_dst) calls.push_back(reorder_call(dnn_, diff_dst, read_diff));
    calls.push_back(OneDnnCall(dnnl::primitive(pd.get()),
                               {{DNNL_ARG_SRC, read_src},
                                {DNNL_ARG_DIFF_DST, read_diff},
                                {DNNL_ARG_DIFF_WEIGHTS, written},
                                {DNNL_ARG_DIFF_BIAS, dnn_.over(bias_, part.diff_bias)},
                                {DNNL_ARG_SCRATCHPAD, dnn_.scratchpad(pd.scratchpad_desc())}}));
    if (written != gradient) calls.push_back(reorder_call(dnn_, written, gradient));
}

}  // namespace lockstep::trainer
