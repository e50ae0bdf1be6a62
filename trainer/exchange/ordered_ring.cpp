#include "trainer/exchange/ordered_ring.hpp"

#include <algorithm>
#include <string>

#include "trainer/exchange/exchange_checks.hpp"
#include "trainer/exchange/hop.hpp"
#include "trainer/exchange/sum_in_shard_order.hpp"

namespace lockstep::trainer {
namespace {

// A link may carry chunks of both passes; those of one pass arrive in the order of the chunks.
constexpr int kSumTag = 0;
constexpr int kCopyTag = 1;

// Also lets MPI go on with everything that is on its way.
bool is_complete(MPI_Request& request) {
    int flag = 0;
    check_mpi(MPI_Test(&request, &flag, MPI_STATUS_IGNORE), "MPI_Test");
    return flag != 0;
}

void wait(MPI_Request& request) { check_mpi(MPI_Wait(&request, MPI_STATUS_IGNORE), "MPI_Wait"); }

}  // namespace

OrderedRing::OrderedRing(const Communicator& comm, std::size_t count, std::size_t chunk_size)
    : comm_(comm), count_(count), chunk_size_(round_up_to_line(chunk_size)) {
    require_equal_on_all_ranks(comm, count, "lengths of the gradient");
    require_equal_on_all_ranks(comm, chunk_size, "chunk sizes");
    if (chunk_size == 0 || chunk_size > kMaxChunkSize) {
        throw CommError("a chunk has 1 to 2^30 elements, not " + std::to_string(chunk_size));
    }
    if (comm.size() == 1) return;
    chunks_ = (count + chunk_size_ - 1) / chunk_size_;
    slot_floats_ = AlignedArray<float>(kSlots * std::min(chunk_size_, round_up_to_line(count)));
    copy_receives_.resize(ends_sum() ? 0 : chunks_);
    copy_sends_.reserve(chunks_);
}

void OrderedRing::sum_shards(std::span<const std::span<const float>> own_shards,
                             std::span<float> sum) {
    require_lengths(own_shards, sum, count_);
    if (comm_.size() == 1) return sum_in_shard_order(own_shards, sum);
    post_first_receives(sum);
    std::size_t summed = 0;
    std::size_t copied = 0;
    while (summed < chunks_ || copied < copy_receives_.size()) {
        if (next_is_copy(summed, copied)) {
            pass_copy_on(copied++, sum);
        } else {
            sum_chunk(summed++, own_shards, sum);
        }
    }
    wait_for_sends();
}

// A receive waits for its chunk rather than the reverse, so a chunk is copied once, to its place.
void OrderedRing::post_first_receives(std::span<float> sum) {
    for (std::size_t i = 0; i < kSlotsAhead; ++i) open_slot(i);
    for (std::size_t i = 0; i < copy_receives_.size(); ++i) {
        copy_receives_[i] = receive_from_left(chunk_of(sum, i), kCopyTag);
    }
}

// Makes room for the partial sum of a chunk and lets it come. The slot's chunk before this one is
// kSlotsAhead chunks behind the one that is added to, so it has left or is about to.
void OrderedRing::open_slot(std::size_t index) {
    if (index >= chunks_) return;
    Slot& slot = slot_of(index);
    wait(slot.sent);
    if (!begins_sum()) slot.arrived = receive_from_left(partial_of(index), kSumTag);
}

// Whether the next thing to do is to take a finished chunk, rather than to add to a partial one:
// whichever has arrived. Rank 0 awaits no partial sums, it always has a chunk to begin.
bool OrderedRing::next_is_copy(std::size_t summed, std::size_t copied) {
    if (copied == copy_receives_.size()) return false;
    if (summed == chunks_) return true;
    do {
        if (is_complete(copy_receives_[copied])) return true;
    } while (!is_complete(slot_of(summed).arrived));
    return false;
}

void OrderedRing::sum_chunk(std::size_t index, std::span<const std::span<const float>> own_shards,
                            std::span<float> sum) {
    open_slot(index + kSlotsAhead);
    const std::size_t first = index * chunk_size_;
    const std::span<float> partial = partial_of(index);
    Slot& slot = slot_of(index);
    wait(slot.arrived);
    pass_hop();
    if (begins_sum()) {
        begin_in_shard_order(own_shards, first, partial);
        slot.sent = send_right(partial, kSumTag);
    } else if (ends_sum()) {
        const std::span<float> finished = chunk_of(sum, index);
        add_in_shard_order(partial, own_shards, first, finished);
        copy_sends_.push_back(send_right(finished, kCopyTag));
    } else {
        add_in_shard_order(partial, own_shards, first, partial);
        slot.sent = send_right(partial, kSumTag);
    }
}

void OrderedRing::pass_copy_on(std::size_t index, std::span<float> sum) {
    wait(copy_receives_[index]);
    pass_hop();
    if (is_last_to_copy()) return;
    copy_sends_.push_back(send_right(chunk_of(sum, index), kCopyTag));
}

std::span<float> OrderedRing::chunk_of(std::span<float> buffer, std::size_t index) const {
    const std::size_t first = index * chunk_size_;
    return buffer.subspan(first, std::min(chunk_size_, count_ - first));
}

std::span<float> OrderedRing::partial_of(std::size_t index) {
    const std::size_t slot_size = slot_floats_.size() / kSlots;
    return slot_floats_.span().subspan(index % kSlots * slot_size,
                                       std::min(chunk_size_, count_ - index * chunk_size_));
}

MPI_Request OrderedRing::receive_from_left(std::span<float> chunk, int tag) const {
    const int left = (comm_.rank() + comm_.size() - 1) % comm_.size();
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Irecv(chunk.data(), static_cast<int>(chunk.size()), MPI_FLOAT, left, tag,
                        comm_.handle(), &request),
              "MPI_Irecv");
    return request;
}

MPI_Request OrderedRing::send_right(std::span<const float> chunk, int tag) const {
    const int right = (comm_.rank() + 1) % comm_.size();
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Isend(chunk.data(), static_cast<int>(chunk.size()), MPI_FLOAT, right, tag,
                        comm_.handle(), &request),
              "MPI_Isend");
    return request;
}

void OrderedRing::wait_for_sends() {
    for (Slot& slot : slots_) wait(slot.sent);
    for (MPI_Request& send : copy_sends_) wait(send);
    copy_sends_.clear();
}

}  // namespace lockstep::trainer
