#pragma once

// The own shards' gradients of one node, added up while they are made, in the order of the fixed
// binary tree over shards (docs/exchange.md).
//
// A rank's shards are aligned subtrees. Inside of one, shards come one after another and their sums
// are kept like the digits of a binary counter: shard j finds popcount(j) sums waiting, becomes the
// next, and is added to those before it as the counter carries. The first sum of a subtree is
// written where the subtree's gradient belongs, the others to scratch as long as the node's
// tensors.

#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "trainer/layers/pass_builder.hpp"
#include "trainer/network/graph.hpp"

namespace lockstep::trainer {

class GradientSums : public GradientPlaces {
public:
    //   trained    the node's tensors in Parameters::trainable()
    //   constant   its others: layers that compute their gradients all the same write them where
    //              nobody reads them
    GradientSums(std::span<const SubtreeGradient> subtrees, const Parameters& parameters,
                 const TensorRange& trained, const TensorRange& constant,
                 std::deque<Buffer>& buffers);

    float* of(std::size_t tensor, std::size_t shard) const override;
    std::vector<Buffer*> buffers() const override;
    std::span<const SubtreeGradient> subtrees() const override { return subtrees_; }
    bool adds() const { return !scratch_.empty(); }
    // After a shard's gradient is written: all additions that it makes possible.
    void carry(std::size_t shard) const;

private:
    struct Place {  // of a shard in its subtree
        std::size_t subtree;
        std::size_t index;
        bool is_last;
    };
    // The sum at depth `depth` of those that wait.
    float* sum_at(std::size_t subtree, std::size_t depth) const;

    std::span<const SubtreeGradient> subtrees_;
    const Parameters& parameters_;
    std::size_t first_, first_constant_;
    // The node's tensors, from first_ on. What lies between them is not added: nobody writes it in
    // scratch, where it holds what other buffers left.
    std::vector<Parameters::Range> tensors_;
    std::vector<Place> places_;  // by own shard
    std::vector<Buffer*> scratch_;
    Buffer* unread_;  // gradients of tensors that are not trained
};

}  // namespace lockstep::trainer
