#pragma once

// The memory of the ranks of one node: where each of them finds the weights and every gradient.

#include <cstddef>
#include <optional>
#include <span>

#include "trainer/exchange/communicator.hpp"
#include "trainer/exchange/shared_counter.hpp"
#include "trainer/exchange/shared_memory.hpp"
#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::trainer {

// Shared by the node's ranks; a rank alone on its node has memory of its own.
class NodeMemory {
public:
    struct Layout {
        int ranks = 1;
        std::size_t weights = 0;     // floats, one array for the node
        std::size_t gradient = 0;    // floats of a gradient with its tail
        int gradients = 1;           // a rank
        std::size_t factors = 0;     // floats, one array for the node
        std::size_t directions = 0;  // likewise
    };

    // Zeros. Collective over the ranks of a node.
    // Returns nullopt on every rank if they can not share memory (SharedMemory::map).
    static std::optional<NodeMemory> make(const Communicator& node, const Layout& layout);

    std::span<SharedCounter> counters() const;  // [ranks], for a Meeting; none for one rank
    std::span<float> weights() const;
    std::span<float> gradient(int rank, int index) const;  // 64-byte aligned
    std::span<float> factors() const;                      // likewise
    std::span<float> directions() const;                   // likewise

private:
    explicit NodeMemory(const Layout& layout) : layout_(layout) {}

    Layout layout_;
    std::optional<SharedMemory> shared_;
    AlignedArray<float> own_;
    std::span<float> floats_;  // all of it: counters, weights, gradients, the others
};

}  // namespace lockstep::trainer
