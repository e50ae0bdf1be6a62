#pragma once

// oneDNN's engine, stream and scratchpad, shared by all kernels of a rank. One thread.

#include <memory>
#include <string>

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

// oneDNN's instruction set in use, from least to most able.
int onednn_isa_level();
// Caps oneDNN at `level` (one that onednn_isa_level() gave on some rank). Works once, before any
// kernel is made. Returns the name of the instruction set then in effect.
std::string cap_onednn_isa(int level);
// Kernels of our own take a vector as a block of channels, as oneDNN lays them out: with no longer
// vectors than oneDNN has been held to. Every ComputeEngine does it too.
void limit_simd_to_onednn();
std::string onednn_version();  // "2.6.3"

}  // namespace lockstep::trainer
