#include "trainer/kernels/channel_groups.hpp"

#include <numeric>

namespace lockstep::trainer {

namespace {

int round_up(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

// Groups of so many channels that together fill whole blocks.
int groups_in_blocks(int channels, int block) { return block / std::gcd(channels, block); }

}  // namespace

ChannelGroups channel_groups(const ConvolutionShape& shape, int block) {
    const int groups = shape.groups;
    const int src = shape.src.channels / groups, dst = shape.dst.channels / groups;
    if (shape.is_depthwise()) return {round_up(groups, block), 1, 1, 1, 1, 1};
    const int merged = std::lcm(groups_in_blocks(src, block), groups_in_blocks(dst, block));
    if (groups > 1 && groups % merged == 0)
        return {groups / merged, merged * src, merged * dst, merged, src, dst};
    return {
        1,  round_up(shape.src.channels, block), round_up(shape.dst.channels, block), groups, src,
        dst};
}

}  // namespace lockstep::trainer
