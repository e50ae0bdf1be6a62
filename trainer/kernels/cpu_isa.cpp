#include "trainer/kernels/cpu_isa.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <string>
#include <utility>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace lockstep::trainer {
namespace {

#if defined(__x86_64__)
// Tiles, and products of bfloat16 and of int8 on them.
bool has_amx() {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    constexpr unsigned kBits = 1U << 22 | 1U << 24 | 1U << 25;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kBits) == kBits;
}

CpuIsa of_cpu() {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("sse4.1")) return CpuIsa::none;
    if (!__builtin_cpu_supports("avx")) return CpuIsa::sse41;
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return CpuIsa::avx;
    const bool has_core = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    if (!has_core) return CpuIsa::avx2;
    if (!__builtin_cpu_supports("avx512vnni")) return CpuIsa::avx512_core;
    if (!__builtin_cpu_supports("avx512bf16")) return CpuIsa::avx512_core_vnni;
    return has_amx() ? CpuIsa::amx : CpuIsa::avx512_core_bf16;
}
#else
CpuIsa of_cpu() { return CpuIsa::none; }
#endif

// What oneDNN would take from the environment; all, where it says nothing known.
CpuIsa cap_of_environment() {
    const char* text = std::getenv("ONEDNN_MAX_CPU_ISA");
    if (text == nullptr) text = std::getenv("DNNL_MAX_CPU_ISA");
    std::string name = text == nullptr ? "" : text;
    std::ranges::transform(name, name.begin(), [](unsigned char letter) {
        return static_cast<char>(std::tolower(letter));
    });
    constexpr std::array<std::pair<const char*, CpuIsa>, 8> kCaps{
        {{"sse41", CpuIsa::sse41},
         {"avx", CpuIsa::avx},
         {"avx2", CpuIsa::avx2},
         {"avx2_vnni", CpuIsa::avx2},
         {"avx2_vnni_2", CpuIsa::avx2},
         {"avx512_core", CpuIsa::avx512_core},
         {"avx512_core_vnni", CpuIsa::avx512_core_vnni},
         {"avx512_core_bf16", CpuIsa::avx512_core_bf16}}};
    for (const auto& [known, isa] : kCaps)
        if (name == known) return isa;
    return CpuIsa::amx;
}

}  // namespace

CpuIsa cpu_isa() { return std::min(of_cpu(), cap_of_environment()); }

const char* to_string(CpuIsa isa) {
    constexpr std::array<const char*, 8> kNames{"none",
                                                "sse41",
                                                "avx",
                                                "avx2",
                                                "avx512_core",
                                                "avx512_core_vnni",
                                                "avx512_core_bf16",
                                                "avx512_core_amx"};
    return kNames[static_cast<std::size_t>(isa)];
}

}  // namespace lockstep::trainer
