#pragma once

// A dense layer on our own kernels bound to buffers, for one rank's part of a batch.

#include <span>
#include <vector>

#include "trainer/determinism/batch_geometry.hpp"
#include "trainer/kernels/compute_engine.hpp"
#include "trainer/kernels/dense/dense_format.hpp"
#include "trainer/kernels/linear_kernel.hpp"

namespace lockstep::trainer {

// Forward and backward data take all samples of the rank at once, as a sample's bits do not depend
// on others; the gradient of the weights goes shard by shard.
class DenseCalls : public LinearCalls {
public:
    //   engine   whose workspace is borrowed; it and the format must outlive this
    //   shards   of this rank, one behind the other from sample 0; may be none
    DenseCalls(const DenseFormat& format, ComputeEngine& engine, const LinearBuffers& buffers,
               std::span<const SampleRange> shards);

    void forward() override;
    void backward_data() override;
    void backward_weights() override;

private:
    // The shared memory: gathered diff_dst first, then scratch. Gathered anew by each pass, since
    // other layers use the memory between them.
    float* gather_diff();

    const DenseFormat& format_;
    ComputeEngine& engine_;
    LinearBuffers buffers_;
    std::vector<SampleRange> shards_;
    int samples_ = 0;
};

}  // namespace lockstep::trainer
