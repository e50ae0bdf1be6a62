#pragma once

// One layer bound without a network: its pieces run in the order it gave them, each for all shards,
// and every buffer has memory of its own.

#include <deque>
#include <functional>
#include <vector>

#include "trainer/exchange/communicator.hpp"
#include "trainer/kernels/aligned_array.hpp"
#include "trainer/layers/layer.hpp"
#include "trainer/parameters/parameters.hpp"

namespace lockstep::tests {

struct LayerPassSetting {
    trainer::BatchGeometry geometry;
    std::uint64_t seed = 1;
    bool is_training = true;
};

// Of a layer without parameters.
class LayerPass {
public:
    // layer and comm must outlive it.
    LayerPass(const trainer::Layer& layer, const LayerPassSetting& setting,
              const trainer::Communicator& comm);

    // Values in the layer's layouts, of all samples.
    std::vector<float> forward(const std::vector<float>& src, std::int64_t step);
    std::vector<float> backward(const std::vector<float>& diff_dst);

private:
    void run(const std::vector<trainer::Work>& works);

    trainer::BatchGeometry geometry_;
    std::vector<int> filled_shards_;
    trainer::StepClocks clocks_;
    trainer::Parameters parameters_;
    std::deque<trainer::Buffer> buffers_;
    trainer::Buffer *src_, *dst_, *diff_dst_, *diff_src_;
    std::deque<trainer::AlignedArray<unsigned char>> memory_;
    trainer::PassBuilder::Pass pass_;
    trainer::StepContext context_;
};

}  // namespace lockstep::tests
