#include "trainer/exchange/shard_gather.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "trainer/config/limits.hpp"
#include "trainer/exchange/hop.hpp"
#include "trainer/exchange/patience.hpp"
#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::trainer {
namespace {

constexpr std::size_t kMostDoublesAtOnce = kMostBytesAtOnce / sizeof(double);
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

ShardGather::Place ShardGather::find_place(const Communicator& comm, int size) {
    Nodes nodes = find_nodes(comm);
    const auto ranks = static_cast<std::size_t>(nodes.ranks_per_node());
    std::optional<SharedMemory> shared;
    if (ranks > 1)
        if (auto mapped = SharedMemory::map(
                nodes.on_node, ranks * sizeof(SharedCounter) +
                                   2 * static_cast<std::size_t>(size) * sizeof(double)))
            shared.emplace(std::move(*mapped));
    if (!comm.all_agree(ranks == 1 || shared)) return {each_rank_a_node(comm), std::nullopt};
    return {std::move(nodes), std::move(shared)};
}

ShardGather::ShardGather(const Communicator& comm, std::span<const int> filled_shards, int values)
    : comm_(comm),
      layout_(layout_of(filled_shards, values)),
      place_(find_place(comm, layout_.size)),
      values_(static_cast<std::size_t>(values)) {
    for (std::size_t rank = 0; rank < filled_shards.size(); ++rank) {
        for (int i = 0; i < filled_shards[rank]; ++i)
            shard_offsets_.push_back(static_cast<std::size_t>(layout_.offsets[rank]) +
                                     static_cast<std::size_t>(i) * values_);
        shards_ += filled_shards[rank];
    }
    lay_out_sets();
    // As many as a gather on any rank can have, so that none allocates.
    const auto longest = static_cast<std::size_t>(*std::ranges::max_element(layout_.counts));
    messages_.reserve(2 * static_cast<std::size_t>(place_.nodes.nodes()) *
                      (longest / kMostDoublesAtOnce + 1));
}

void ShardGather::lay_out_sets() {
    const auto size = static_cast<std::size_t>(layout_.size);
    double* tables = nullptr;
    if (place_.shared) {
        const Communicator& node = place_.nodes.on_node;
        auto* counters = reinterpret_cast<SharedCounter*>(place_.shared->bytes().data());
        new (&counters[node.rank()]) SharedCounter;
        node.barrier();  // every counter is there before anyone looks at it
        meeting_.emplace(std::span(counters, static_cast<std::size_t>(node.size())), node.rank(),
                         &comm_);
        tables = reinterpret_cast<double*>(counters + node.size());
    } else {
        own_.resize(2 * size);
        tables = own_.data();
    }
    sets_ = {std::span(tables, size), std::span(tables + size, size)};
}

// Those that a rank has written or is to receive for the gather under way.
std::span<double> ShardGather::tables_of(int rank) {
    const auto number = static_cast<std::size_t>(rank);
    return sets_[written_].subspan(static_cast<std::size_t>(layout_.offsets[number]),
                                   static_cast<std::size_t>(layout_.counts[number]));
}

std::span<double> ShardGather::own(std::size_t i) {
    return tables_of(comm_.rank()).subspan(i * values_, values_);
}

void ShardGather::gather() {
    if (!place_.nodes.is_one_node()) exchange_between_nodes();
    if (meeting_) meeting_->meet();
    written_ = 1 - written_;
}

// Whoever is here has left the last meeting: nobody on its node reads this set any more.
void ShardGather::exchange_between_nodes() {
    const Nodes& nodes = place_.nodes;
    const auto start = [&](auto call, const char* name, std::span<double> tables, int node) {
        for (; !tables.empty();
             tables = tables.subspan(std::min(tables.size(), kMostDoublesAtOnce))) {
            const std::size_t count = std::min(tables.size(), kMostDoublesAtOnce);
            MPI_Request& request = messages_.emplace_back(MPI_REQUEST_NULL);
            check_mpi(call(tables.data(), static_cast<int>(count), MPI_DOUBLE, node, 0,
                           nodes.of_place.handle(), &request),
                      name);
        }
    };
    messages_.clear();
    for (int i = 1; i < nodes.nodes(); ++i) {
        const int from = (nodes.node() + nodes.nodes() - i) % nodes.nodes();
        start(MPI_Irecv, "MPI_Irecv", tables_of(from * nodes.ranks_per_node() + nodes.place()),
              from);
    }
    for (int i = 1; i < nodes.nodes(); ++i)
        start(MPI_Isend, "MPI_Isend", tables_of(comm_.rank()), (nodes.node() + i) % nodes.nodes());
    pass_hop();
    wait_for_all(messages_);
}

std::span<const double> ShardGather::shard(int i) const {
    return sets_[1 - written_].subspan(shard_offsets_[static_cast<std::size_t>(i)], values_);
}

}  // namespace lockstep::trainer
