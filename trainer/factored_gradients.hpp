#pragma once

// The wide dense layers of a network in a training step: which they are, where their factors lie in
// the memory that ranks share, and how a rank forms its part of their gradients.

#include <optional>
#include <span>
#include <vector>

#include "trainer/exchange/exchange.hpp"
#include "trainer/kernels/aligned_array.hpp"
#include "trainer/layers/factored_weights.hpp"
#include "trainer/network/network.hpp"

namespace lockstep::trainer {

class FactoredGradients {
public:
    //   batch   samples of a full batch
    FactoredGradients(const Network& network, int batch);

    std::size_t floats() const { return floats_; }  // of all factors of a batch
    // By node of the network's graph; none where gradients are written as everywhere.
    //   memory   [floats()], or empty: ranks share none
    std::vector<std::optional<FactorPlace>> places(std::span<float> memory, int first_sample) const;
    // What the exchange forms. This object must outlive it.
    std::vector<FormedRange> ranges(std::span<float> memory);
    // The shards of the batch under way, as ranges of its samples.
    void use(std::span<const SampleRange> shards) { shards_ = shards; }

private:
    struct Entry {
        std::size_t node;
        const FactoredWeights* weights;
        std::size_t first, count;  // in Parameters::trainable()
        std::size_t src, diff;     // in the factors' memory
    };
    static FactorPlace place(const Entry& entry, std::span<float> memory, std::size_t sample);

    std::size_t nodes_;
    std::vector<Entry> entries_;
    std::size_t floats_ = 0;
    std::span<const SampleRange> shards_;
    AlignedArray<float> scratch_;
};

}  // namespace lockstep::trainer
