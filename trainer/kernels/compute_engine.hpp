#pragma once

// oneDNN's engine, stream and scratchpad, shared by all kernels of a rank. One thread.

#include <memory>
#include <string>

#include "trainer/kernels/cpu_isa.hpp"

namespace lockstep::trainer {

struct OneDnn;  // kernels/onednn.hpp: seen by this folder alone

class ComputeEngine {
public:
    ComputeEngine();
    ~ComputeEngine();
    ComputeEngine(const ComputeEngine&) = delete;
    ComputeEngine& operator=(const ComputeEngine&) = delete;

    OneDnn& onednn() const { return *onednn_; }

    // Channels in one block of the layout that oneDNN's direct convolutions like here.
    int channel_block() const;

private:
    std::unique_ptr<OneDnn> onednn_;
};

// Keeps oneDNN to `isa`. Before any other call of it.
// Throws std::runtime_error, or what oneDNN throws, if it is too late.
void cap_onednn_isa(CpuIsa isa);
// The one it computes with, from now on for good: "avx512_core".
std::string onednn_isa();
// Kernels of our own take a vector as a block of channels, as oneDNN lays them out: with no longer
// vectors than oneDNN has been held to. Every ComputeEngine does it too.
void limit_simd_to_onednn();
std::string onednn_version();  // "2.6.3"

}  // namespace lockstep::trainer
