#include "trainer/exchange/tree_exchange.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "liveness/pulse.hpp"
#include "trainer/determinism/shard_tree.hpp"
#include "trainer/determinism/shards.hpp"
#include "trainer/exchange/exchange_checks.hpp"
#include "trainer/exchange/hop.hpp"
#include "trainer/exchange/tree_sum.hpp"

namespace lockstep::trainer {
namespace {

// 16 KiB: a chunk of the sum, of the weights and of two slots lie in a core's first cache together.
constexpr std::size_t kChunkSize = kFormedPiece;

int size_of(const std::vector<SampleRange>& subtrees) { return static_cast<int>(subtrees.size()); }

// The shards of ranks first .. first + count - 1.
SampleRange shards_of_ranks(int shards, int ranks, int first, int count) {
    const SampleRange last = shards_of_rank(shards, ranks, first + count - 1);
    const int begin = shards_of_rank(shards, ranks, first).first;
    return {begin, last.first + last.count - begin};
}

// Gradients that a rank needs room for.
int most_subtrees(const ExchangeSetting& setting, int ranks, int ranks_together) {
    int most = 1;
    for (const int filled : setting.filled_shards)
        for (int rank = 0; rank < ranks; rank += ranks_together)
            most = std::max(
                most, size_of(subtrees_of(
                          shards_of_ranks(setting.shards, ranks, rank, ranks_together), filled)));
    return most;
}

}  // namespace

TreeExchange::Place TreeExchange::find_place(const Communicator& comm,
                                             const ExchangeSetting& setting, Transport transport) {
    const bool shares = transport == Transport::shared_memory_in_nodes;
    Nodes nodes = shares ? find_nodes(comm) : each_rank_a_node(comm);
    const NodeMemory::Layout layout{.ranks = nodes.ranks_per_node(),
                                    .weights = setting.count,
                                    .gradient = setting.count + setting.tail,
                                    .gradients = most_subtrees(setting, comm.size(), 1),
                                    .factors = setting.factors,
                                    .directions = setting.has_directions ? setting.count : 0};
    auto memory = NodeMemory::make(nodes.on_node, layout);
    if (!comm.all_agree(memory.has_value())) return find_place(comm, setting, Transport::messages);
    return {std::move(nodes), std::move(*memory)};
}

TreeExchange::TreeExchange(const Communicator& comm, const ExchangeSetting& setting,
                           Transport transport)
    : TreeExchange(
          comm, setting,
          (require_equal_on_all_ranks(comm, setting), find_place(comm, setting, transport))) {}

TreeExchange::TreeExchange(const Communicator& comm, const ExchangeSetting& setting, Place place)
    : comm_(comm),
      count_(setting.count),
      tail_(setting.tail),
      nodes_(std::move(place.nodes)),
      memory_(std::move(place.memory)),
      meeting_(memory_.counters(), nodes_.place(), &comm),
      slice_(slice_of(count_, nodes_.ranks_per_node(), nodes_.place())),
      chunk_(kChunkSize),
      tail_sum_(tail_) {
    for (const int filled : setting.filled_shards) orders_.push_back(order_for(filled, setting));
    for (int rank = 0; rank < comm.size(); ++rank) {
        const Slice of_place =
            slice_of(count_, nodes_.ranks_per_node(), rank % nodes_.ranks_per_node());
        const Slice own = slice_of(of_place.count, nodes_.nodes(), rank / nodes_.ranks_per_node());
        updated_.push_back({of_place.first + own.first, own.count});
        slice_counts_.push_back(static_cast<int>(own.count));
        slice_offsets_.push_back(static_cast<int>(updated_.back().first));
    }
    node_counts_.resize(static_cast<std::size_t>(nodes_.nodes()));
    node_offsets_.resize(node_counts_.size());
    if (nodes_.is_one_node()) {
        if (setting.keeps_sums) kept_sum_ = AlignedArray<float>(slice_.count);
        cut_own_slice();
        return;
    }
    const int most_own = most_subtrees(setting, comm.size(), nodes_.ranks_per_node());
    messages_.emplace(nodes_.of_place, MessageSum::Sizes{.count = slice_.count,
                                                         .tail = tail_,
                                                         .most_terms = most_own * nodes_.nodes(),
                                                         .most_own_terms = most_own});
    node_terms_.resize(static_cast<std::size_t>(most_own));
    if (nodes_.ranks_per_node() == 1) return;
    for (const float*& term : node_terms_)
        term = node_sums_.emplace_back(slice_.count + tail_).data();
}

TreeExchange::Order TreeExchange::order_for(int filled, const ExchangeSetting& setting) const {
    Order order;
    order.filled = filled;
    const int per_node = nodes_.ranks_per_node();
    std::vector<SampleRange> of_all_nodes;
    for (int node = 0; node < nodes_.nodes(); ++node) {
        const auto subtrees = subtrees_of(
            shards_of_ranks(setting.shards, comm_.size(), node * per_node, per_node), filled);
        order.between_nodes.terms_by_peer.push_back(size_of(subtrees));
        of_all_nodes.insert(of_all_nodes.end(), subtrees.begin(), subtrees.end());
        if (node != nodes_.node()) continue;
        for (const SampleRange& subtree : subtrees)
            order.local.push_back(local_sum(subtree, filled, setting));
    }
    if (nodes_.is_one_node() && order.local.empty()) order.local.emplace_back();  // a sum of zeros
    order.between_nodes.additions = additions_after(of_all_nodes, filled);
    order.between_nodes.has_extra.resize(static_cast<std::size_t>(nodes_.nodes()));
    for (int rank = 0; rank < comm_.size(); ++rank) {
        const SampleRange own = shards_of_rank(setting.shards, comm_.size(), rank);
        if (!subtrees_of(own, filled).empty()) continue;
        order.between_nodes.has_extra[static_cast<std::size_t>(rank / per_node)] = true;
        if (rank / per_node == nodes_.node())
            order.idle.push_back(memory_.gradient(rank % per_node, 0).data());
    }
    return order;
}

// Every subtree of a rank lies in one of its node's.
TreeExchange::LocalSum TreeExchange::local_sum(const SampleRange& subtree, int filled,
                                               const ExchangeSetting& setting) const {
    LocalSum sum;
    std::vector<SampleRange> ranges;
    const int first_rank = nodes_.node() * nodes_.ranks_per_node();
    for (int place = 0; place < nodes_.ranks_per_node(); ++place) {
        const auto own =
            subtrees_of(shards_of_rank(setting.shards, comm_.size(), first_rank + place), filled);
        for (int k = 0; k < size_of(own); ++k) {
            const SampleRange& range = own[static_cast<std::size_t>(k)];
            if (range.first < subtree.first || range.first >= subtree.first + subtree.count)
                continue;
            ranges.push_back(range);
            sum.terms.push_back(memory_.gradient(place, k).data());
        }
    }
    sum.additions = additions_after(ranges, filled);
    return sum;
}

std::span<float> TreeExchange::gradient(std::size_t subtree) {
    return memory_.gradient(nodes_.place(), static_cast<int>(subtree));
}

std::span<const float> TreeExchange::sum_tails(int filled_shards) {
    order_ = &order_of(filled_shards);
    has_kept_sum_ = false;
    meeting_.meet();
    if (nodes_.is_one_node()) {
        sum_local_tails();
        return tail_sum_.span();
    }
    sum_in_node();
    messages_->reduce_scatter(order_->between_nodes,
                              std::span(node_terms_).first(order_->local.size()), tail_sum_.span());
    return messages_->tail_sum();
}

const TreeExchange::Order& TreeExchange::order_of(int filled) const {
    const auto found = std::ranges::find(orders_, filled, &Order::filled);
    if (found == orders_.end())
        throw std::invalid_argument("the exchange was not made for so many filled shards");
    return *found;
}

void TreeExchange::sum_local_tails() {
    add_in_tree_order(order_->whole().terms, order_->whole().additions, count_, tail_sum_.span());
    for (const float* idle : order_->idle)
        for (std::size_t i = 0; i < tail_; ++i) tail_sum_[i] += idle[count_ + i];
}

// What this rank sends to other nodes: its slice of the node's subtree sums, and their tails.
void TreeExchange::sum_in_node() {
    for (std::size_t k = 0; k < order_->local.size(); ++k) {
        const LocalSum& local = order_->local[k];
        if (node_sums_.empty()) {  // alone on its node
            node_terms_[k] = local.terms.front();
            continue;
        }
        const std::span<float> sum = node_sums_[k].span();
        add_in_tree_order(local.terms, local.additions, slice_.first, sum.first(slice_.count));
        add_in_tree_order(local.terms, local.additions, count_, sum.last(tail_));
    }
    std::ranges::fill(tail_sum_.span(), -0.0F);  // which changes no sum
    for (const float* idle : order_->idle)
        for (std::size_t i = 0; i < tail_; ++i) tail_sum_[i] += idle[count_ + i];
}

void TreeExchange::sum_and_update(const SliceUpdate& update) {
    if (nodes_.is_one_node()) {
        update_own_slice(update);
    } else {
        messages_->all_gather(weights().subspan(slice_.first, slice_.count),
                              [this, &update](std::size_t first, std::span<const float> sum) {
                                  update(slice_.first + first, sum);
                              });
    }
    meeting_.meet();
}

void TreeExchange::sum_alone(const SliceUpdate& take) {
    if (nodes_.is_one_node())
        update_own_slice(take);
    else
        visit_sums(take);
    meeting_.meet();
}

// In `room` where it has to be added up.
std::span<const float> TreeExchange::sum_of(const Piece& piece, std::span<float> room) const {
    const LocalSum& local = order_->whole();
    const auto& [slice, formed] = piece;
    if (formed != nullptr) return formed->form(slice.first, slice.count);
    if (local.terms.size() == 1) return {local.terms.front() + slice.first, slice.count};
    add_in_tree_order(local.terms, local.additions, slice.first, room.first(slice.count));
    return room.first(slice.count);
}

void TreeExchange::visit_sums(const SliceUpdate& visit) {
    if (!nodes_.is_one_node()) {
        messages_->visit_sums([this, &visit](std::size_t first, std::span<const float> sum) {
            visit(slice_.first + first, sum);
        });
        return;
    }
    for (const Piece& piece : pieces_) {
        const std::span<float> kept =
            kept_sum_.span().subspan(piece.slice.first - slice_.first, piece.slice.count);
        if (!has_kept_sum_) {
            const std::span<const float> sum = sum_of(piece, kept);
            if (sum.data() != kept.data()) std::ranges::copy(sum, kept.begin());
        }
        visit(piece.slice.first, kept);
    }
    has_kept_sum_ = true;
}

// Ranks of a node wrote their parts where all of it read them: those of this place on other nodes
// are received there, too.
void TreeExchange::share_directions(std::span<const Slice> parts) {
    if (!nodes_.is_one_node()) {
        const auto per_node = static_cast<std::size_t>(nodes_.ranks_per_node());
        const auto place = static_cast<std::size_t>(nodes_.place());
        for (std::size_t node = 0; node < node_counts_.size(); ++node) {
            const Slice& part = parts[node * per_node + place];
            node_counts_[node] = static_cast<int>(part.count);
            node_offsets_[node] = static_cast<int>(part.first);
        }
        const liveness::Waiting waiting;
        check_mpi(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, directions().data(),
                                 node_counts_.data(), node_offsets_.data(), MPI_FLOAT,
                                 nodes_.of_place.handle()),
                  "MPI_Allgatherv");
    }
    meeting_.meet();
}

void TreeExchange::update_own_slice(const SliceUpdate& update) {
    for (const Piece& piece : pieces_) {
        pass_hop();
        const std::size_t first = piece.slice.first;
        if (has_kept_sum_)
            update(first, kept_sum_.span().subspan(first - slice_.first, piece.slice.count));
        else
            update(first, sum_of(piece, chunk_.span()));
    }
}

void TreeExchange::form(const std::vector<FormedRange>& ranges) {
    if (!nodes_.is_one_node()) return Exchange::form(ranges);
    formed_ = ranges;
    std::ranges::sort(formed_, {}, &FormedRange::first);
    cut_own_slice();
}

// Into chunks, each of which lies in one formed range or outside of all.
void TreeExchange::cut_own_slice() {
    pieces_.clear();
    const auto add = [this](std::size_t first, std::size_t end, const FormedRange* formed) {
        first = std::max(first, slice_.first);
        end = std::min(end, slice_.first + slice_.count);
        for (; first < end; first += std::min(kChunkSize, end - first))
            pieces_.push_back({{first, std::min(kChunkSize, end - first)}, formed});
    };
    std::size_t next = 0;
    for (const FormedRange& range : formed_) {
        add(next, range.first, nullptr);
        next = range.first + range.count;
        add(range.first, next, &range);
    }
    add(next, count_, nullptr);
}

void TreeExchange::collect(std::span<float> array) {
    const liveness::Waiting waiting;
    check_mpi(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, array.data(), slice_counts_.data(),
                             slice_offsets_.data(), MPI_FLOAT, comm_.handle()),
              "MPI_Allgatherv");
}

}  // namespace lockstep::trainer
