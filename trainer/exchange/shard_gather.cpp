#include "trainer/exchange/shard_gather.hpp"

#include "trainer/config/limits.hpp"

namespace lockstep::trainer {

ShardGather::ShardGather(const Communicator& comm, std::span<const int> filled_shards, int values)
    : comm_(comm), values_(static_cast<std::size_t>(values)) {
    double all = 0.0;
    for (const int shards : filled_shards) all += static_cast<double>(shards) * values;
    require_countable(all, "the table of all shards' statistics");
    for (int rank = 0; rank < comm.size(); ++rank) {
        const int shards = filled_shards[static_cast<std::size_t>(rank)];
        offsets_.push_back(shards_ * values);
        counts_.push_back(shards * values);
        shards_ += shards;
    }
    own_.resize(static_cast<std::size_t>(counts_[static_cast<std::size_t>(comm.rank())]));
    all_.resize(static_cast<std::size_t>(shards_) * values_);
}

std::span<double> ShardGather::own(std::size_t i) {
    return std::span(own_).subspan(i * values_, values_);
}

void ShardGather::gather() { comm_.all_gather(own_, all_, counts_, offsets_); }

std::span<const double> ShardGather::shard(int i) const {
    return std::span(all_).subspan(static_cast<std::size_t>(i) * values_, values_);
}

}  // namespace lockstep::trainer
