#pragma once

// Batch normalization (or none), 2 x 2 max pooling and dropout (or none) as one layer: one pass
// over memory, forward and backward, by kernels/max_pool_2x2.hpp.

#include <optional>

#include "trainer/kernels/max_pool_2x2.hpp"
#include "trainer/layers/batch_normalization.hpp"
#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

class PooledBlock : public Layer {
public:
    struct Norm {
        BatchNormalizationConfig config;
        BatchNormTensors tensors;
        bool is_frozen;  // normalizes by its moving statistics
    };
    struct Drop {
        double rate;
        std::uint32_t layer;  // its number in the network
    };
    // shape: one that is_max_pool_2x2().
    PooledBlock(const PoolingShape& shape, std::optional<Norm> norm, std::optional<Drop> drop)
        : Layer(shape.src, shape.dst), shape_(shape), norm_(norm), drop_(drop) {}

    bool can_mask_src_relu() const override { return true; }
    void bind(PassBuilder& pass) const override;

private:
    class Pass;

    PoolingShape shape_;
    std::optional<Norm> norm_;
    std::optional<Drop> drop_;
};

}  // namespace lockstep::trainer
