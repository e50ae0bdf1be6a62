#pragma once

// `ring` and `mpi`: an allreduce leaves the sum on every rank, and every rank updates all weights
// of its own. To compare with.

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "trainer/exchange/allreduce.hpp"
#include "trainer/exchange/exchange.hpp"
#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::trainer {

class ReplicatedExchange : public Exchange {
public:
    // allreduce: of count + tail floats. comm must outlive the exchange.
    ReplicatedExchange(const Communicator& comm, const ExchangeSetting& setting,
                       std::unique_ptr<Allreduce> allreduce);

    std::span<float> weights() override { return weights_.span(); }
    Slice own_weights() const override { return {0, count_}; }
    std::span<float> gradient(std::size_t subtree) override { return gradients_[subtree].span(); }
    std::span<const float> sum_tails(int filled_shards) override;
    void visit_sums(const SliceUpdate& visit) override;
    std::span<float> directions() override { return directions_.span(); }
    void collect_directions() override {}  // complete on every rank
    void share_directions(std::span<const Slice> parts) override;
    void sum_and_update(const SliceUpdate& update) override;
    void sum_alone(const SliceUpdate& take) override;
    void collect(std::span<float>) override {}  // complete on every rank

private:
    struct Step {
        int filled;
        std::vector<std::span<const float>> own;  // gradients that count
    };

    const Communicator& comm_;
    std::size_t count_;
    std::unique_ptr<Allreduce> allreduce_;
    AlignedArray<float> weights_;
    std::vector<AlignedArray<float>> gradients_;  // [own subtrees][count + tail]
    std::vector<Step> steps_;
    AlignedArray<float> sum_;  // [count + tail]
    AlignedArray<float> directions_;
    std::vector<int> part_counts_, part_offsets_;  // by rank
};

}  // namespace lockstep::trainer
