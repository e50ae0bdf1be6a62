#include "trainer/exchange/shard_gather.hpp"

#include <new>
#include <utility>

#include "trainer/config/limits.hpp"
#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::trainer {
namespace {

constexpr int kDoublesOfLine = static_cast<int>(kAlignment / sizeof(double));

int round_up_to_line(int doubles) {
    return (doubles + kDoublesOfLine - 1) / kDoublesOfLine * kDoublesOfLine;
}

}  // namespace

ShardGather::Layout ShardGather::layout_of(std::span<const int> filled_shards, int values) {
    double all = 0.0;
    for (const int shards : filled_shards)
        all += static_cast<double>(shards) * values + kDoublesOfLine;
    require_countable(all, "the table of all shards' statistics");
    Layout layout;
    for (const int shards : filled_shards) {
        layout.counts.push_back(shards * values);
        layout.offsets.push_back(layout.size);
        layout.size += round_up_to_line(shards * values);
    }
    return layout;
}

ShardGather::ShardGather(const Communicator& comm, std::span<const int> filled_shards, int values)
    : comm_(comm),
      layout_(layout_of(filled_shards, values)),
      values_(static_cast<std::size_t>(values)) {
    for (std::size_t rank = 0; rank < filled_shards.size(); ++rank) {
        for (int i = 0; i < filled_shards[rank]; ++i)
            shard_offsets_.push_back(static_cast<std::size_t>(layout_.offsets[rank]) +
                                     static_cast<std::size_t>(i) * values_);
        shards_ += filled_shards[rank];
    }
    share_or_allocate();
}

void ShardGather::share_or_allocate() {
    const auto size = static_cast<std::size_t>(layout_.size);
    const auto ranks = static_cast<std::size_t>(comm_.size());
    if (comm_.size() > 1)
        if (auto mapped =
                SharedMemory::map(comm_, ranks * sizeof(SharedCounter) + 2 * size * sizeof(double)))
            shared_.emplace(std::move(*mapped));
    double* tables = nullptr;
    if (shared_) {
        auto* counters = reinterpret_cast<SharedCounter*>(shared_->bytes().data());
        new (&counters[comm_.rank()]) SharedCounter;
        comm_.barrier();  // every counter is there before anyone looks at it
        meeting_.emplace(std::span(counters, ranks), comm_.rank(), &comm_);
        tables = reinterpret_cast<double*>(counters + ranks);
    } else {
        own_.resize(2 * size);
        tables = own_.data();
    }
    sets_ = {std::span(tables, size), std::span(tables + size, size)};
}

std::span<double> ShardGather::own(std::size_t i) {
    const auto first =
        static_cast<std::size_t>(layout_.offsets[static_cast<std::size_t>(comm_.rank())]);
    return sets_[written_].subspan(first + i * values_, values_);
}

void ShardGather::gather() {
    if (meeting_) {
        meeting_->meet();
    } else if (comm_.size() > 1) {
        check_mpi(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, sets_[written_].data(),
                                 layout_.counts.data(), layout_.offsets.data(), MPI_DOUBLE,
                                 comm_.handle()),
                  "MPI_Allgatherv");
    }
    written_ = 1 - written_;
}

std::span<const double> ShardGather::shard(int i) const {
    return sets_[1 - written_].subspan(shard_offsets_[static_cast<std::size_t>(i)], values_);
}

}  // namespace lockstep::trainer
