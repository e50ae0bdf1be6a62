#pragma once

// What the ranks compute with, agreed on before anything is computed.

#include <string>

#include "trainer/exchange/communicator.hpp"

namespace lockstep::trainer {

// What the machine computes with, stored with every run. All ranks of the communicator agree on
// one instruction set first; call once, right after MPI starts and before any kernel is made.
struct ComputeEnvironment {
    std::string isa;             // oneDNN's effective one, for example "avx512_core"
    std::string simd_target;     // Highway's, for example "AVX3"
    std::string onednn_version;  // "2.6.3"
    std::string mpi_version;     // the library's own words, first line
};
ComputeEnvironment agree_on_compute_environment(const Communicator& world);

}  // namespace lockstep::trainer
