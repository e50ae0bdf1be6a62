#pragma once

// `ordered`: the sum in the order of the tree over the shards (shard_tree.hpp), so the same bits on
// any number of ranks, however they stand on nodes.
//
// Inside a node gradients and weights lie in shared memory. Each of the node's L ranks owns a slice
// of 1/L of the weights: it sums the slice over all subtrees of the node's ranks, updates it, and
// writes the weights where all read them: two meetings a step, no copy, the update divided too.
// Between nodes (message_sum.hpp) the ranks with the same place on their nodes exchange the sums of
// their slice, each node's subtrees in place of each rank's: no byte goes twice between two nodes.
//
// Cost, on one node: a rank reads count / L floats of each subtree and writes as many weights.
// Between N nodes: 2 (N-1)/N x count / L floats a rank, where a node's shards are one subtree.

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "trainer/determinism/batch_geometry.hpp"
#include "trainer/exchange/communicator.hpp"
#include "trainer/exchange/exchange.hpp"
#include "trainer/exchange/meeting.hpp"
#include "trainer/exchange/message_sum.hpp"
#include "trainer/exchange/node_memory.hpp"
#include "trainer/exchange/nodes.hpp"
#include "trainer/exchange/slices.hpp"

namespace lockstep::trainer {

class TreeExchange : public Exchange {
public:
    enum class Transport { shared_memory_in_nodes, messages };

    // Collective. Where ranks can not share memory they send messages; the bits are the same.
    // Throws CommError as make_exchange() does.
    TreeExchange(const Communicator& comm, const ExchangeSetting& setting,
                 Transport transport = Transport::shared_memory_in_nodes);

    std::span<float> weights() override { return memory_.weights(); }
    Slice own_weights() const override { return slice_; }
    std::span<float> gradient(std::size_t subtree) override;
    std::span<float> factors() override {
        return nodes_.is_one_node() ? memory_.factors() : std::span<float>();
    }
    void form(const std::vector<FormedRange>& ranges) override;
    std::span<const float> sum_tails(int filled_shards) override;
    void visit_sums(const SliceUpdate& visit) override;
    std::span<float> directions() override { return memory_.directions(); }
    void collect_directions() override { share_directions(updated_); }
    void share_directions(std::span<const Slice> parts) override;
    void sum_and_update(const SliceUpdate& update) override;
    void sum_alone(const SliceUpdate& take) override;
    void collect(std::span<float> array) override;

    bool shares_memory() const { return nodes_.ranks_per_node() > 1; }
    bool sends_messages() const { return messages_.has_value(); }

private:
    // The sum of some subtrees of this node's ranks: one of the node's own.
    struct LocalSum {
        std::vector<const float*> terms;  // gradients with their tails
        std::vector<int> additions;
    };
    // What is added with one number of filled shards.
    struct Order {
        int filled = 0;
        std::vector<LocalSum> local;     // by subtree of the node
        std::vector<const float*> idle;  // gradients of the node's ranks without shards
        MessageSum::Order between_nodes;

        // On a single node, whose shards are one subtree: the whole tree.
        const LocalSum& whole() const { return local.front(); }
    };
    struct Piece {  // of the own slice; formed, or else summed
        Slice slice;
        const FormedRange* formed;
    };
    struct Place {  // where all of this stands
        Nodes nodes;
        NodeMemory memory;
    };
    static Place find_place(const Communicator& comm, const ExchangeSetting& setting,
                            Transport transport);
    TreeExchange(const Communicator& comm, const ExchangeSetting& setting, Place place);

    Order order_for(int filled, const ExchangeSetting& setting) const;
    LocalSum local_sum(const SampleRange& subtree, int filled,
                       const ExchangeSetting& setting) const;
    const Order& order_of(int filled) const;
    void cut_own_slice();
    void sum_in_node();
    void sum_local_tails();
    std::span<const float> sum_of(const Piece& piece, std::span<float> room) const;
    void update_own_slice(const SliceUpdate& update);

    const Communicator& comm_;
    std::size_t count_;
    std::size_t tail_;
    Nodes nodes_;
    NodeMemory memory_;
    Meeting meeting_;
    Slice slice_;  // of the weights: this rank's on its node
    std::vector<FormedRange> formed_;
    std::vector<Piece> pieces_;  // on one node
    std::vector<Order> orders_;
    const Order* order_ = nullptr;  // of the step under way
    std::optional<MessageSum> messages_;
    std::vector<AlignedArray<float>> node_sums_;  // [subtrees of the node][slice + tail]
    std::vector<const float*> node_terms_;        // what is sent: node_sums_, or the gradients
    AlignedArray<float> chunk_;                   // a chunk of the sum
    AlignedArray<float> kept_sum_;                // on one node: of the slice, where sums are kept
    bool has_kept_sum_ = false;                   // of the step under way
    AlignedArray<float> tail_sum_;  // [tail]; between nodes the idle ranks' of this one
    std::vector<Slice> updated_;    // by rank: of the weights, what it updates
    std::vector<int> slice_counts_, slice_offsets_;  // the same
    std::vector<int> node_counts_, node_offsets_;    // by node: of what of_place exchanges
};

}  // namespace lockstep::trainer
