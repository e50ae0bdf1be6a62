#pragma once

// oneDNN's engine, stream and scratchpad, and the memory of our own kernels, shared by all kernels
// of a rank. One thread.

#include <cstddef>
#include <memory>
#include <string>

#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::trainer {

struct OneDnn;  // kernels/onednn.hpp: seen by this folder alone

// Memory for one call at a time: as large as the most that any kernel asked for when it was made.
// Its content means nothing between calls, and its place may change with a reserve().
class SharedFloats {
public:
    void reserve(std::size_t floats) {
        if (floats > memory_.size()) memory_ = AlignedArray<float>(floats);
    }
    float* data() { return memory_.data(); }

private:
    AlignedArray<float> memory_;
};

class ComputeEngine {
public:
    ComputeEngine();
    ~ComputeEngine();
    ComputeEngine(const ComputeEngine&) = delete;
    ComputeEngine& operator=(const ComputeEngine&) = delete;

    OneDnn& onednn() const { return *onednn_; }
    SharedFloats& shared_floats() { return shared_floats_; }

    // Channels in one block of the layout that oneDNN's direct convolutions like here.
    int channel_block() const;

private:
    std::unique_ptr<OneDnn> onednn_;
    SharedFloats shared_floats_;
};

// oneDNN's instruction set in use, from least to most able.
int onednn_isa_level();
// Caps oneDNN at `level` (one that onednn_isa_level() gave on some rank). Works once, before any
// kernel is made. Returns the name of the instruction set then in effect.
std::string cap_onednn_isa(int level);
std::string onednn_version();  // "2.6.3"

}  // namespace lockstep::trainer
