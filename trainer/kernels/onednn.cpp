#include "trainer/kernels/onednn.hpp"

#include <fmt/format.h>
#include <hwy/highway.h>
#include <hwy/targets.h>
#include <omp.h>

#include <array>
#include <cfenv>
#include <stdexcept>

#include "trainer/config/limits.hpp"
#include "trainer/kernels/compute_engine.hpp"

namespace lockstep::trainer {

OneDnnCall::OneDnnCall(const dnnl::primitive& primitive,
                       const std::vector<std::pair<int, dnnl::memory>>& arguments)
    : primitive_(primitive) {
    for (const auto& [index, memory] : arguments) {
        memories_.push_back(memory);
        arguments_.push_back({index, memory.get()});
    }
}

void OneDnnCall::run(dnnl_stream_t stream) const {
    // The C call: the C++ one builds a list of arguments each time.
    const dnnl_status_t status = dnnl_primitive_execute(
        primitive_.get(), stream, static_cast<int>(arguments_.size()), arguments_.data());
    if (status != dnnl_success) throw dnnl::error(status, "oneDNN could not execute a primitive");
}

dnnl::memory::desc f32(const dnnl::memory::dims& dims, dnnl::memory::format_tag tag) {
    double values = 1.0;  // in double: a product of many extents may leave 64 bits
    for (const dnnl::memory::dim extent : dims) values *= static_cast<double>(extent);
    require_countable(values, "a tensor of a layer");
    return {dims, dnnl::memory::data_type::f32, tag};
}

void Workspace::reserve(std::size_t bytes) {
    if (bytes <= bytes_.size()) return;
    bytes_ = AlignedArray<unsigned char>(bytes);
    for (auto& user : users_) user.set_data_handle(bytes_.data());
}

dnnl::memory Workspace::memory(const dnnl::engine& engine, const dnnl::memory::desc& desc) {
    reserve(desc.get_size());
    users_.emplace_back(desc, engine, bytes_.data());
    return users_.back();
}

dnnl::primitive_attr attributes(bool with_relu) {
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    // Said, not left to DNNL_DEFAULT_FPMATH_MODE and ONEDNN_DEFAULT_FPMATH_MODE: those would let
    // float32 be computed as bfloat16, on one rank or on all.
    attr.set_fpmath_mode(dnnl::fpmath_mode::strict);
    if (with_relu) {
        dnnl::post_ops post_ops;
#if DNNL_VERSION_MAJOR >= 3
        post_ops.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
#else
        post_ops.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
#endif
        attr.set_post_ops(post_ops);
    }
    return attr;
}

void reorder_now(OneDnn& dnn, const dnnl::memory::desc& from, const float* src,
                 const dnnl::memory::desc& to, float* dst) {
    reorder_call(dnn, dnn.over(from, src), dnn.over(to, dst)).run(dnn.stream.get());
    dnn.stream.wait();
}

OneDnnCall reorder_call(OneDnn& dnn, const dnnl::memory& from, const dnnl::memory& to) {
    const dnnl::reorder::primitive_desc pd(from, to, attributes());
    return OneDnnCall(dnnl::reorder(pd),
                      {{DNNL_ARG_FROM, from},
                       {DNNL_ARG_TO, to},
                       {DNNL_ARG_SCRATCHPAD, dnn.scratchpad(pd.scratchpad_desc())}});
}

namespace {

// Levels are sets of features, not numbers: AVX2 with VNNI is none of AVX-512.
bool has_avx512() {
    const int core = static_cast<int>(dnnl::cpu_isa::avx512_core);
    return (static_cast<int>(dnnl::get_effective_cpu_isa()) & core) == core;
}

}  // namespace

void limit_simd_to_onednn() {
    if (has_avx512()) return;
    // Lower bits are the more able targets. What was disabled before stays so.
    hwy::DisableTargets(~(hwy::SupportedTargets() & ~std::int64_t{HWY_AVX2 - 1}));
}

ComputeEngine::ComputeEngine() {
    // oneDNN bakes the number of threads into a primitive when it is made, and weight gradients
    // have other bits with another number: one thread a rank.
    omp_set_num_threads(1);
    // Rounding to nearest, and gradual underflow: a library built with -ffast-math may have set
    // flush-to-zero when it was loaded, on one rank or one machine and not on the other.
    std::fesetenv(FE_DFL_ENV);
    limit_simd_to_onednn();
    onednn_ = std::make_unique<OneDnn>();
}

ComputeEngine::~ComputeEngine() = default;

namespace {

std::string isa_name(dnnl::cpu_isa isa) {
    using dnnl::cpu_isa;
    switch (isa) {
        case cpu_isa::sse41:
            return "sse41";
        case cpu_isa::avx:
            return "avx";
        case cpu_isa::avx2:
            return "avx2";
        case cpu_isa::avx512_core:
            return "avx512_core";
        case cpu_isa::avx512_core_vnni:
            return "avx512_core_vnni";
        case cpu_isa::avx512_core_bf16:
            return "avx512_core_bf16";
        case cpu_isa::avx512_core_amx:
            return "avx512_core_amx";
        default:
            return fmt::format("isa-{:#x}", static_cast<int>(isa));
    }
}

}  // namespace

int ComputeEngine::channel_block() const { return has_avx512() ? 16 : 8; }

void cap_onednn_isa(CpuIsa isa) {
    using dnnl::cpu_isa;
    constexpr std::array<cpu_isa, 7> kLevels{cpu_isa::sse41,
                                             cpu_isa::sse41,
                                             cpu_isa::avx,
                                             cpu_isa::avx2,
                                             cpu_isa::avx512_core,
                                             cpu_isa::avx512_core_vnni,
                                             cpu_isa::avx512_core_bf16};
    const auto level = static_cast<std::size_t>(isa);
    if (level >= kLevels.size()) return;
    if (dnnl::set_max_cpu_isa(kLevels[level]) != dnnl::status::success)
        throw std::runtime_error(fmt::format("oneDNN can not be kept to {}", to_string(isa)));
}

std::string onednn_isa() { return isa_name(dnnl::get_effective_cpu_isa()); }

std::string onednn_version() {
    const dnnl_version_t* version = dnnl_version();
    return fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
}

}  // namespace lockstep::trainer
