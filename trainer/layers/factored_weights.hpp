#pragma once

// Weights whose gradient is the product of two factors, src and diff_dst, that are smaller than it:
// those of a wide dense layer. Ranks that share memory exchange the factors of all samples instead
// of gradients, and each forms the part of the sum that it updates.

#include <cstddef>
#include <span>

#include "trainer/determinism/batch_geometry.hpp"

namespace lockstep::trainer {

// The factors of the rank's own samples, among those of the whole batch.
struct FactorPlace {
    float* src = nullptr;
    float* diff = nullptr;
};

class FactoredWeights {
public:
    virtual ~FactoredWeights() = default;

    virtual std::size_t tensor() const = 0;       // in the network's parameters
    virtual std::size_t src_floats() const = 0;   // of one sample
    virtual std::size_t diff_floats() const = 0;  // of one sample
    // Floats first .. first + count - 1 of the tensor's gradient, summed over the shards of the
    // whole batch in the order of the tree: the bits of subtree gradients that are added up.
    //   scratch   [count + 2 x kSlack], aligned; the result lies in it
    static constexpr std::size_t kSlack = 64;
    virtual std::span<const float> form(std::size_t first, std::size_t count,
                                        const FactorPlace& batch,
                                        std::span<const SampleRange> shards,
                                        std::span<float> scratch) const = 0;
};

}  // namespace lockstep::trainer
