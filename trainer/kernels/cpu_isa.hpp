#pragma once

// The instruction sets of this CPU, in the steps in which oneDNN and our kernels use them, as far
// as ONEDNN_MAX_CPU_ISA allows. Found by CPUID: oneDNN, once it is asked, stays with its answer,
// and ranks that have to agree on less could not any more.

namespace lockstep::trainer {

enum class CpuIsa { none, sse41, avx, avx2, avx512_core, avx512_core_vnni, avx512_core_bf16, amx };

CpuIsa cpu_isa();
const char* to_string(CpuIsa isa);  // "avx2"

}  // namespace lockstep::trainer
