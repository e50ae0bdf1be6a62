#pragma once

// The groups of a convolution as its kernels see them.
//
// oneDNN is fast on groups of whole blocks of channels, and has next to nothing for others: plain
// loops, or matrix products over copies of the image. So groups that fill no blocks are merged:
// as few as make whole blocks are one group for the kernel, with weights that are zero between
// channels of different groups, and stay so because their gradients are set to zero. Where that
// does not come out even, all groups are one. It takes as many products as a convolution of larger
// groups, at most those of one without.

#include <cstddef>

#include "trainer/kernels/convolution_shape.hpp"

namespace lockstep::trainer {

struct ChannelGroups {
    int count = 1;         // as the kernel counts them
    int src_channels = 0;  // of one of them, as padded
    int dst_channels = 0;
    int merged = 1;                // the convolution's own groups in one of the kernel's
    int own_src = 0, own_dst = 0;  // channels of one of the convolution's own

    bool has_zeros() const { return merged > 1; }
    int padded_src() const { return count * src_channels; }
    int padded_dst() const { return count * dst_channels; }
};

//   block   channels of a whole block
ChannelGroups channel_groups(const ConvolutionShape& shape, int block);

}  // namespace lockstep::trainer
