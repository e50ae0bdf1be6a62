#include "trainer/exchange/message_sum.hpp"

#include <algorithm>

#include "trainer/config/out_of_memory.hpp"
#include "trainer/exchange/hop.hpp"
#include "trainer/exchange/patience.hpp"
#include "trainer/exchange/tree_sum.hpp"

namespace lockstep::trainer {
namespace {

// Messages of one kind between two ranks arrive in the order in which they were sent.
constexpr int kTailTag = 0;
constexpr int kTermTag = 1;
constexpr int kFinishedTag = 2;

// A peer may receive so many floats more if that saves a latency: 12 KB take as long as 0.1 ms at 1
// Gbit/s. And so many may be updated by every peer.
constexpr double kMostExtraFloats = 3072;
constexpr std::size_t kMostUpdatedByAll = 32768;

// Whether to send everything to all at once: see message_sum.hpp.
bool is_short(const MessageSum::Sizes& sizes, int peers) {
    const double terms = sizes.most_own_terms, others = peers - 1;
    const double at_once = terms * others, by_slices = (terms + 1) * others / peers;
    return sizes.count <= kMostUpdatedByAll &&
           (at_once - by_slices) * static_cast<double>(sizes.count) <= kMostExtraFloats;
}

int terms_held_by(const MessageSum::Order& order, int peer) {
    return order.terms_by_peer[static_cast<std::size_t>(peer)];
}

}  // namespace

MessageSum::MessageSum(const Communicator& comm, const Sizes& sizes)
    : comm_(comm), sizes_(sizes), is_short_(is_short(sizes, comm.size())) {
    const auto peers = static_cast<std::size_t>(comm.size());
    const auto most_terms = static_cast<std::size_t>(sizes.most_terms);
    const auto most_own = static_cast<std::size_t>(sizes.most_own_terms);
    const std::size_t slice_size = own_slice().count;
    const std::size_t arriving = most_terms * round_up_to_line(slice_size);
    arrived_ = in_memory_for("the gradients that other ranks send", arriving * sizeof(float),
                             [&] { return AlignedArray<float>(arriving); });
    tails_ = AlignedArray<float>(peers * (most_own + 1) * sizes.tail);
    sum_ = AlignedArray<float>(slice_size);
    tail_sum_ = AlignedArray<float>(sizes.tail);
    terms_.reserve(most_terms);
    // Slices differ by a line, so their chunks by one.
    const std::size_t chunks = chunks_in(own_slice(), sizes.chunk_size) + 1;
    receives_.reserve(std::max(most_terms, peers) * chunks);
    sends_.reserve(peers * (1 + most_own * chunks));
}

void MessageSum::reduce_scatter(const Order& order, std::span<const float* const> own_terms,
                                std::span<const float> own_extra) {
    pass_hop();
    send_tails(order, own_terms, own_extra);
    pass_hop();
    const std::size_t tails = receives_.size();
    send_slices(order, own_terms);
    wait_for_all(std::span(receives_).first(tails));
    if (!is_short_) add_tails(order);
    add_slices(order, own_terms, std::span(receives_).subspan(tails));
    if (is_short_) std::ranges::copy(sum_.span().last(sizes_.tail), tail_sum_.data());
    add_extras(order);
    wait_for_all(sends_);
    sends_.clear();
    receives_.clear();
}

// Tails of terms and the extra one, if there is one; of a short array the terms take their tails
// along.
void MessageSum::send_tails(const Order& order, std::span<const float* const> own_terms,
                            std::span<const float> own_extra) {
    const std::span<float> own = tails_of(order, comm_.rank());
    if (!is_short_)
        for (std::size_t t = 0; t < own_terms.size(); ++t)
            std::copy_n(own_terms[t] + sizes_.count, sizes_.tail, own.data() + t * sizes_.tail);
    if (order.has_extra[static_cast<std::size_t>(comm_.rank())])
        std::ranges::copy(own_extra, own.last(sizes_.tail).begin());
    for_each_other([&](int peer) {
        const std::span<float> tails = tails_of(order, peer);
        if (!tails.empty()) receive(tails, peer, kTailTag);
    });
    if (own.empty()) return;
    for_each_other([&](int peer) { send(own, peer, kTailTag); });
}

// All at once: what is sent first is added first, while the rest is still on its way.
void MessageSum::send_slices(const Order& order, std::span<const float* const> own_terms) {
    const std::size_t stride = round_up_to_line(own_slice().count);
    for (std::size_t c = 0; c < chunks_in(own_slice(), sizes_.chunk_size); ++c) {
        const Slice chunk = chunk_of({0, own_slice().count}, sizes_.chunk_size, c);
        float* arrived = arrived_.data();
        for (int peer = 0; peer < comm_.size(); ++peer) {
            if (peer == comm_.rank()) continue;
            for (int t = 0; t < terms_held_by(order, peer); ++t, arrived += stride)
                receive({arrived + chunk.first, chunk.count}, peer, kTermTag);
        }
    }
    const std::size_t most_chunks = chunks_in(slice(comm_.size() - 1), sizes_.chunk_size);
    for (std::size_t c = 0; c < most_chunks; ++c) {
        for_each_other([&](int peer) {
            const Slice chunk = chunk_of(slice(peer), sizes_.chunk_size, c);
            if (chunk.count == 0) return;
            for (const float* term : own_terms)
                send({term + chunk.first, chunk.count}, peer, kTermTag);
        });
    }
}

void MessageSum::add_tails(const Order& order) {
    terms_.clear();
    for (int peer = 0; peer < comm_.size(); ++peer) {
        const float* tail = tails_of(order, peer).data();
        for (int t = 0; t < terms_held_by(order, peer); ++t, tail += sizes_.tail)
            terms_.push_back(tail);
    }
    add_in_tree_order(terms_, order.additions, 0, tail_sum_.span());
}

void MessageSum::add_extras(const Order& order) {
    for (int peer = 0; peer < comm_.size(); ++peer) {
        if (!order.has_extra[static_cast<std::size_t>(peer)]) continue;
        const std::span<const float> extra = tails_of(order, peer).last(sizes_.tail);
        for (std::size_t i = 0; i < sizes_.tail; ++i) tail_sum_[i] += extra[i];
    }
}

void MessageSum::add_slices(const Order& order, std::span<const float* const> own_terms,
                            std::span<MPI_Request> arriving) {
    const std::size_t stride = round_up_to_line(own_slice().count);
    terms_.clear();
    const float* arrived = arrived_.data();
    for (int peer = 0; peer < comm_.size(); ++peer) {
        for (int t = 0; t < terms_held_by(order, peer); ++t) {
            const bool is_own = peer == comm_.rank();
            terms_.push_back(is_own ? own_terms[static_cast<std::size_t>(t)] + own_slice().first
                                    : arrived);
            if (!is_own) arrived += stride;
        }
    }
    const std::size_t messages = terms_.size() - own_terms.size();  // of a chunk
    for (std::size_t c = 0; c < chunks_in(own_slice(), sizes_.chunk_size); ++c) {
        const Slice chunk = chunk_of({0, own_slice().count}, sizes_.chunk_size, c);
        wait_for_all(arriving.subspan(c * messages, messages));
        pass_hop();
        add_in_tree_order(terms_, order.additions, chunk.first,
                          sum_.span().subspan(chunk.first, chunk.count));
    }
}

void MessageSum::visit_sums(
    const std::function<void(std::size_t, std::span<const float>)>& visit) const {
    const Slice own = own_sums();
    for (std::size_t c = 0; c < chunks_in(own, sizes_.chunk_size); ++c) {
        const Slice chunk = chunk_of(own, sizes_.chunk_size, c);
        visit(chunk.first, sum_.span().subspan(chunk.first - own.first, chunk.count));
    }
}

void MessageSum::all_gather(std::span<float> array,
                            const std::function<void(std::size_t, std::span<const float>)>& make) {
    const Slice own = own_sums();
    if (!is_short_) receive_slices(array);
    for (std::size_t c = 0; c < chunks_in(own, sizes_.chunk_size); ++c) {
        const Slice chunk = chunk_of(own, sizes_.chunk_size, c);
        make(chunk.first, sum_.span().subspan(chunk.first - own.first, chunk.count));
        pass_hop();
        if (is_short_) continue;  // every peer makes it
        const std::span<const float> made = array.subspan(chunk.first, chunk.count);
        for_each_other([&](int peer) { send(made, peer, kFinishedTag); });
    }
    pass_hop();
    wait_for_all(receives_);
    wait_for_all(sends_);
    receives_.clear();
    sends_.clear();
}

void MessageSum::receive_slices(std::span<float> array) {
    for_each_other([&](int peer) {
        for (std::size_t c = 0; c < chunks_in(slice(peer), sizes_.chunk_size); ++c) {
            const Slice chunk = chunk_of(slice(peer), sizes_.chunk_size, c);
            receive(array.subspan(chunk.first, chunk.count), peer, kFinishedTag);
        }
    });
}

// [terms, and one more][tail], as a peer sends them; nothing, where it sends none.
std::span<float> MessageSum::tails_of(const Order& order, int peer) {
    const std::size_t stride = tails_.size() / static_cast<std::size_t>(comm_.size());
    const auto terms = static_cast<std::size_t>(terms_held_by(order, peer));
    const bool has_extra = order.has_extra[static_cast<std::size_t>(peer)];
    const std::size_t tails = (is_short_ ? 0 : terms) + (has_extra ? 1 : 0);
    return tails_.span().subspan(static_cast<std::size_t>(peer) * stride, tails * sizes_.tail);
}

void MessageSum::receive(std::span<float> floats, int peer, int tag) {
    MPI_Request& request = receives_.emplace_back(MPI_REQUEST_NULL);
    check_mpi(MPI_Irecv(floats.data(), static_cast<int>(floats.size()), MPI_FLOAT, peer, tag,
                        comm_.handle(), &request),
              "MPI_Irecv");
}

void MessageSum::send(std::span<const float> floats, int peer, int tag) {
    MPI_Request& request = sends_.emplace_back(MPI_REQUEST_NULL);
    check_mpi(MPI_Isend(floats.data(), static_cast<int>(floats.size()), MPI_FLOAT, peer, tag,
                        comm_.handle(), &request),
              "MPI_Isend");
}

// From the next one on, so that not all ranks send to the same one first.
template <class Visit>
void MessageSum::for_each_other(Visit visit) const {
    for (int i = 1; i < comm_.size(); ++i) visit((comm_.rank() + i) % comm_.size());
}

}  // namespace lockstep::trainer
