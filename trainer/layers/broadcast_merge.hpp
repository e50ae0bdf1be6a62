#pragma once

// Sums and products of images, some of which have one pixel that stands for all of the others':
// the gates of squeeze and excitation [1].
//
// [1] J. Hu, L. Shen, G. Sun: Squeeze-and-excitation networks. CVPR 2018. arXiv:1709.01507

#include <cstddef>
#include <vector>

#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

class BroadcastMerge : public Layer {
public:
    // kind: add or multiply. Sources of one block and as many channels, at least one of them of one
    // pixel and one of more.
    BroadcastMerge(MergeKind kind, std::vector<Layout> sources);
    void bind(PassBuilder& pass) const override;

private:
    using Sources = std::vector<const Buffer*>;
    void add_backward(PassBuilder& pass, std::size_t source) const;
    // dst = first with all others, in their order, images in front of pixels.
    void combine(const float* first, const Sources& images, const Sources& pixels, float* dst,
                 int samples, std::size_t shard) const;

    bool is_product_;
    std::vector<std::size_t> images_, pixels_;  // numbers of sources
};

}  // namespace lockstep::trainer
