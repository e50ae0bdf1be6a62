#pragma once

// The weights and the bias of a convolution that computes the normalization behind it along, in
// evaluation:
//
//   (conv(src, w) + b) scale + shift = conv(src, w scale) + (b scale + shift),  by channel of dst
//
// They are buffers of the plan, made anew for each pass: the network's parameters stay as they are.

#include "trainer/kernels/channel_scaling.hpp"
#include "trainer/kernels/convolution.hpp"
#include "trainer/layers/batch_statistics.hpp"
#include "trainer/layers/linear.hpp"

namespace lockstep::trainer {

class FoldedWeights {
public:
    FoldedWeights(const ConvolutionFormat& format, const MovingNorm& norm, PassBuilder& pass);

    // Adds the piece that makes them. The object lives as long as the plan.
    void add_to(PassBuilder& pass, const LinearParameters& parameters);

    Buffer& weights() const { return weights_; }
    Buffer& bias() const { return bias_; }

private:
    void fold(const float* weights, const float* bias);

    MovingNorm norm_;
    Parameters& parameters_;
    ChannelScaling scaling_;
    ChannelAffine affine_;
    Buffer& weights_;
    Buffer& bias_;
};

}  // namespace lockstep::trainer
