#include "trainer/exchange/replicated_exchange.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "liveness/pulse.hpp"
#include "trainer/determinism/shard_tree.hpp"
#include "trainer/determinism/shards.hpp"

namespace lockstep::trainer {
namespace {

// The sum is updated from while it is in the second cache.
constexpr std::size_t kChunkSize = 16384;

}  // namespace

ReplicatedExchange::ReplicatedExchange(const Communicator& comm, const ExchangeSetting& setting,
                                       std::unique_ptr<Allreduce> allreduce)
    : comm_(comm),
      count_(setting.count),
      allreduce_(std::move(allreduce)),
      weights_(setting.count),
      sum_(setting.count + setting.tail),
      directions_(setting.has_directions ? setting.count : 0),
      part_counts_(static_cast<std::size_t>(comm.size())),
      part_offsets_(part_counts_.size()) {
    const SampleRange own = shards_of_rank(setting.shards, comm.size(), comm.rank());
    std::size_t most = 1;
    for (const int filled : setting.filled_shards)
        most = std::max(most, subtrees_of(own, filled).size());
    for (std::size_t k = 0; k < most; ++k) gradients_.emplace_back(sum_.size());
    for (const int filled : setting.filled_shards) {
        Step step{filled, {}};
        for (std::size_t k = 0; k < subtrees_of(own, filled).size(); ++k)
            step.own.emplace_back(gradients_[k].span());
        steps_.push_back(std::move(step));
    }
}

std::span<const float> ReplicatedExchange::sum_tails(int filled_shards) {
    const auto step = std::ranges::find(steps_, filled_shards, &Step::filled);
    if (step == steps_.end())
        throw std::invalid_argument("the exchange was not made for so many filled shards");
    if (step->own.empty()) {  // of an idle rank the tail counts alone
        std::ranges::fill(gradients_.front().span().first(count_), 0.0F);
        const std::span<const float> idle = gradients_.front().span();
        allreduce_->sum_shards({&idle, 1}, sum_.span());
    } else {
        allreduce_->sum_shards(step->own, sum_.span());
    }
    return sum_.span().subspan(count_);
}

void ReplicatedExchange::visit_sums(const SliceUpdate& visit) { sum_and_update(visit); }

void ReplicatedExchange::share_directions(std::span<const Slice> parts) {
    for (std::size_t rank = 0; rank < parts.size(); ++rank) {
        part_counts_[rank] = static_cast<int>(parts[rank].count);
        part_offsets_[rank] = static_cast<int>(parts[rank].first);
    }
    const liveness::Waiting waiting;
    check_mpi(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, directions_.data(),
                             part_counts_.data(), part_offsets_.data(), MPI_FLOAT, comm_.handle()),
              "MPI_Allgatherv");
}

void ReplicatedExchange::sum_alone(const SliceUpdate& take) { sum_and_update(take); }

void ReplicatedExchange::sum_and_update(const SliceUpdate& update) {
    for (std::size_t first = 0; first < count_; first += kChunkSize)
        update(first, sum_.span().subspan(first, std::min(kChunkSize, count_ - first)));
}

}  // namespace lockstep::trainer
