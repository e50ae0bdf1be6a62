#pragma once

// What the ranks compute with, agreed on before anything is computed.

#include <cstdint>
#include <string>

#include "trainer/exchange/communicator.hpp"

namespace lockstep::trainer {

// How this program rounds: which algorithms compute a layer, and in which order sums are added up.
// Raised whenever the bits of a training change by that. 1: direct convolutions, shards added from
// the first to the last. 2: Winograd's convolutions and own dense layers, shards added as a tree.
// 3: shards of 6 samples at most, few channels by Winograd too.
inline constexpr std::int64_t kArithmetic = 3;

// What the machine computes with, stored with every attempt; arithmetic with checkpoints alone. All
// ranks of the communicator agree on one instruction set first; call once, right after MPI starts
// and before any kernel is made.
struct ComputeEnvironment {
    std::string isa;             // oneDNN's effective one, for example "avx512_core"
    std::string simd_target;     // Highway's, for example "AVX3"
    std::string onednn_version;  // "2.6.3"
    std::string mpi_version;     // the library's own words, first line
    std::int64_t arithmetic = kArithmetic;
    std::string isa_note{};  // ranks with different CPUs, in words; "" where they are alike
};
// Throws ReplicaError, on every rank, if the ranks can not be brought to one.
ComputeEnvironment agree_on_compute_environment(const Communicator& world);
// What this process alone would compute with. MPI need not run; nothing is agreed on.
ComputeEnvironment own_compute_environment();

// "oneDNN 2.6.3, Open MPI v4.1.4". Before MPI starts as well.
std::string library_versions();

}  // namespace lockstep::trainer
