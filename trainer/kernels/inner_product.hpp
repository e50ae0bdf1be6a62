#pragma once

// Dense layer by oneDNN: dst = relu?(src * weights + bias), and its three gradients.
//
//   src [N, IC] * weights [IC, OC] + bias [OC] -> dst [N, OC]
//
// Weight gradients are computed shard by shard; forward and backward data in calls over whole
// shards that the maker chooses (dense_ranges.hpp).

#include <memory>
#include <span>
#include <vector>

#include "trainer/determinism/batch_geometry.hpp"
#include "trainer/kernels/compute_engine.hpp"
#include "trainer/kernels/layout.hpp"
#include "trainer/kernels/linear_kernel.hpp"
#include "trainer/kernels/parameter_format.hpp"

namespace lockstep::trainer {

// The weights' layout of one dense layer, chosen once for a whole network.
class InnerProductFormat {
public:
    // incoming: a flat layout; its padding takes part as features with weights that stay zero.
    //   batch   samples of a whole batch: what the layout is chosen for
    InnerProductFormat(ComputeEngine& engine, const Layout& incoming, int units, bool has_relu,
                       int batch);
    ~InnerProductFormat();

    int features() const { return features_; }  // of src, padding included
    int units() const { return units_; }
    bool has_relu() const { return has_relu_; }
    std::unique_ptr<ParameterFormat> kernel_format() const;  // Keras' [features, units]
    std::unique_ptr<ParameterFormat> bias_format() const;

    struct Descriptors;
    const Descriptors& descriptors() const { return *descriptors_; }
    ComputeEngine& engine() const { return engine_; }

private:
    ComputeEngine& engine_;
    int features_;
    int units_;
    bool has_relu_;
    std::vector<std::uint32_t> feature_positions_;
    std::unique_ptr<Descriptors> descriptors_;
};

// The samples of each call; none is allowed.
struct DenseRanges {
    std::vector<SampleRange> forward;
    std::vector<SampleRange> backward_data;
};

class InnerProduct : public LinearKernel {
public:
    //   shards   of this rank, for the weight gradients
    InnerProduct(const InnerProductFormat& format, const LinearBuffers& buffers,
                 const DenseRanges& ranges, std::span<const SampleRange> shards);
};

}  // namespace lockstep::trainer
