#pragma once

// oneDNN 2.x and 3.x behind one small file. Only trainer/kernels includes it.
//
// 2.x builds primitive_desc(desc(args...), attr, engine[, hint]); 3.x has no desc and takes the
// engine first. The arguments of convolutions and inner products are otherwise the same.

#include <cstddef>
#include <oneapi/dnnl/dnnl.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::trainer {

// One primitive with its arguments bound: running it looks nothing up and allocates nothing.
class OneDnnCall {
public:
    OneDnnCall() = default;
    OneDnnCall(const dnnl::primitive& primitive,
               const std::vector<std::pair<int, dnnl::memory>>& arguments);
    void run(dnnl_stream_t stream) const;
    explicit operator bool() const { return !arguments_.empty(); }

private:
    dnnl::primitive primitive_;
    std::vector<dnnl::memory> memories_;
    std::vector<dnnl_exec_arg_t> arguments_;
};

// Memory that kernels use in turn: as large as the largest of them asks for. What a call leaves in
// it means nothing to the next.
class Workspace {
public:
    void reserve(std::size_t bytes);
    // Its beginning, which a later reserve() may move.
    float* floats() { return reinterpret_cast<float*>(bytes_.data()); }
    // A memory over it, of any layout. Stays valid where a later one makes it grow.
    dnnl::memory memory(const dnnl::engine& engine, const dnnl::memory::desc& desc);
    std::size_t bytes() const { return bytes_.size(); }

private:
    AlignedArray<unsigned char> bytes_;
    std::vector<dnnl::memory> users_;
};

struct OneDnn {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};

    // A memory over `data`, which must outlive it.
    dnnl::memory over(const dnnl::memory::desc& desc, const float* data) const {
        return {desc, engine, const_cast<float*>(data)};
    }
    // The one scratchpad, shared by all primitives and our own kernels: they run one after another.
    Workspace workspace{};
    dnnl::memory scratchpad(const dnnl::memory::desc& desc) {
        return workspace.memory(engine, desc);
    }
};

// Attributes of every primitive here, made nowhere else: scratchpad by the user, float32 computed
// as float32 whatever the environment says, and optionally a fused ReLU.
dnnl::primitive_attr attributes(bool with_relu = false);

template <class Primitive, class... Args>
typename Primitive::primitive_desc forward_pd(const OneDnn& dnn, const dnnl::primitive_attr& attr,
                                              Args&&... args) {
#if DNNL_VERSION_MAJOR >= 3
    return typename Primitive::primitive_desc(dnn.engine, std::forward<Args>(args)..., attr);
#else
    return typename Primitive::primitive_desc(typename Primitive::desc(std::forward<Args>(args)...),
                                              attr, dnn.engine);
#endif
}

template <class Primitive, class Hint, class... Args>
typename Primitive::primitive_desc backward_pd(const OneDnn& dnn, const Hint& hint,
                                               Args&&... args) {
#if DNNL_VERSION_MAJOR >= 3
    return typename Primitive::primitive_desc(dnn.engine, std::forward<Args>(args)..., hint,
                                              attributes());
#else
    return typename Primitive::primitive_desc(typename Primitive::desc(std::forward<Args>(args)...),
                                              attributes(), dnn.engine, hint);
#endif
}

// Whether oneDNN fell back to its plain loops: hundreds of times slower than its kernels.
template <class PrimitiveDesc>
bool is_reference(const PrimitiveDesc& pd) {
    return std::string_view(pd.impl_info_str()).starts_with("ref");
}

// Every tensor that oneDNN is given comes by here. Throws std::length_error if it has more values
// than its kernels can count.
dnnl::memory::desc f32(const dnnl::memory::dims& dims, dnnl::memory::format_tag tag);

// make(own), the primitive for a layout that is there already; make(any) where oneDNN has nothing
// but its plain loops for that.
template <class Make>
auto with_layout(const dnnl::memory::desc& own, const dnnl::memory::desc& any, Make make) {
    const auto direct = make(own);
    return is_reference(direct) ? make(any) : direct;
}

inline std::size_t floats_of(const dnnl::memory::desc& desc) {
    return desc.get_size() / sizeof(float);
}

// Copies between two layouts of the same tensor, now.
void reorder_now(OneDnn& dnn, const dnnl::memory::desc& from, const float* src,
                 const dnnl::memory::desc& to, float* dst);

// The same as a call to run later.
OneDnnCall reorder_call(OneDnn& dnn, const dnnl::memory& from, const dnnl::memory& to);

}  // namespace lockstep::trainer
