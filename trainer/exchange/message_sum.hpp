#pragma once

// The sum of the tree by messages: a reduce-scatter, then an allgather, each in one step.
//
// Every peer (a rank, or the ranks that have the same place on their nodes) holds the sums of some
// subtrees and owns one slice of the array. It sends each of the others that one's slice of its
// subtree sums, adds what comes in for its own in the order of the tree, and later sends the
// finished slice to all.
//
// Cost: where each peer's shards are one subtree, 2 (P-1)/P x count floats over each link, the
// least an allreduce can do with, and two latencies, since a step's messages are all under way
// at once. (Halving and doubling [1] sends as much in 2 log2 P latencies, by fewer messages: less
// only where thousands of peers would meet.) A peer with k subtrees sends k times as much to add.
// A slice goes in chunks below the size from which transports ask before they send.
//
// A short array is every peer's slice as a whole: each sends all it has to all and sums everything
// itself, which takes one latency instead of two. The bits are the same.
//
// [1] R. Rabenseifner: Optimization of collective reduction operations. ICCS 2004.
//     doi:10.1007/978-3-540-24685-5_1

#include <mpi.h>

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "trainer/exchange/communicator.hpp"
#include "trainer/exchange/slices.hpp"
#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::trainer {

class MessageSum {
public:
    static constexpr std::size_t kDefaultChunkSize = kMostBytesAtOnce / sizeof(float);

    struct Sizes {
        std::size_t count = 0;   // floats of the array
        std::size_t tail = 0;    // floats behind it that every peer gets the sum of
        int most_terms = 1;      // subtrees of all peers together, at most
        int most_own_terms = 1;  // subtrees of one peer, at most
        std::size_t chunk_size = kDefaultChunkSize;  // floats; changes speed, never bits
    };
    // What is added in a step.
    struct Order {
        std::vector<int> terms_by_peer;  // subtrees each peer holds
        std::vector<int> additions;      // additions_after() of all, in the order of the peers
        std::vector<bool> has_extra;     // by peer: whether it adds a tail of its own
    };

    // Allocates everything. comm must outlive this object and carry nobody else's messages.
    MessageSum(const Communicator& comm, const Sizes& sizes);

    // Collective. Every peer gets the sum of its slice and of the tails.
    //   own_terms   the own subtrees' sums, each of shape [count + tail]
    //   own_extra   [tail], where the order has it: added behind those of the tree, in the order of
    //               the peers
    void reduce_scatter(const Order& order, std::span<const float* const> own_terms,
                        std::span<const float> own_extra);
    std::span<const float> tail_sum() const { return {tail_sum_.data(), sizes_.tail}; }

    // Calls visit(first, sum) for the chunks of the own slice in order, `first` counted in the
    // array, after reduce_scatter().
    void visit_sums(const std::function<void(std::size_t, std::span<const float>)>& visit) const;
    // Collective. Calls make(first, sum) for the chunks of the own slice in order, `first` counted
    // in the array; it writes the same elements of `array`, all of which every peer then has.
    //   array   [count]
    void all_gather(std::span<float> array,
                    const std::function<void(std::size_t, std::span<const float>)>& make);

private:
    // Of a short array all of it, with its tail.
    Slice slice(int peer) const {
        return is_short_ ? Slice{0, sizes_.count + sizes_.tail}
                         : slice_of(sizes_.count, comm_.size(), peer);
    }
    Slice own_slice() const { return slice(comm_.rank()); }
    // Without a tail.
    Slice own_sums() const { return is_short_ ? Slice{0, sizes_.count} : own_slice(); }
    void send_tails(const Order& order, std::span<const float* const> own_terms,
                    std::span<const float> own_extra);
    void send_slices(const Order& order, std::span<const float* const> own_terms);
    void add_tails(const Order& order);
    void add_extras(const Order& order);
    void add_slices(const Order& order, std::span<const float* const> own_terms,
                    std::span<MPI_Request> arriving);
    void receive_slices(std::span<float> array);
    std::span<float> tails_of(const Order& order, int peer);
    void receive(std::span<float> floats, int peer, int tag);
    void send(std::span<const float> floats, int peer, int tag);
    template <class Visit>
    void for_each_other(Visit visit) const;

    const Communicator& comm_;
    Sizes sizes_;
    bool is_short_;
    AlignedArray<float> arrived_;        // [terms of others][own slice]
    AlignedArray<float> tails_;          // [peers][most own terms + 1][tail], the extra one last
    AlignedArray<float> sum_;            // [own slice]
    AlignedArray<float> tail_sum_;       // [tail]
    std::vector<const float*> terms_;    // of all, in the order of the peers
    std::vector<MPI_Request> receives_;  // in the order in which they are waited for
    std::vector<MPI_Request> sends_;
};

}  // namespace lockstep::trainer
