#pragma once

// The ordered ring: adds one gradient buffer per shard, over the shards of all ranks, strictly in
// shard order, and leaves the sum on every rank.
//
// Ranks own contiguous ranges of shards, in rank order: with P ranks the shards of rank 0 come
// first, those of rank P-1 last. The buffer is cut into chunks, and each chunk passes twice:
//
//   sum    the chunk starts at rank 0 as zeros. Each rank adds its own shards to it, one by one
//          in ascending order, and passes it right. Rank P-1 then holds the finished chunk.
//   copy   rank P-1 sends the finished chunk once more around, 0 -> 1 -> ... -> P-2.
//
// Every element is ((0 + g0) + g1) + ... + g(S-1) in float32, whichever rank added which term.
// So the bits depend on the shards alone: not on P, not on the chunk size, not on timing. A
// classic ring [1] starts each chunk at another rank, and its bits change with P.
//
// Cost: a link carries at most 2 x count floats (the two links at rank P-1 carry half of that);
// a classic ring sends 2(P-1)/P x count. Chunks are in flight on all links at once, so the time
// is about 2 x count floats over one link plus 2P chunk latencies to fill and drain the ring.
//
// [1] P. Patarasuk, X. Yuan: Bandwidth optimal all-reduce algorithms for clusters of
//     workstations. J. Parallel Distrib. Comput. 69(2):117-124, 2009.
//     doi:10.1016/j.jpdc.2008.09.002

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "trainer/exchange/allreduce.hpp"
#include "trainer/exchange/communicator.hpp"
#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::trainer {

// Exchanges buffers of one fixed length over the ranks of one communicator.
//
// The constructor and sum_shards() are collective: every rank of the communicator calls them, in
// the same order. With one rank they send nothing. The communicator must outlive this object.
class OrderedRing : public Allreduce {
public:
    // 128 KiB, by measurement (docs/exchange.md): long enough to hide a message's latency, short
    // enough that several chunks are on their way in a gradient of 0.5 MB.
    static constexpr std::size_t kDefaultChunkSize = 32768;

    // Lets all ranks agree on both sizes and allocates everything, so that sum_shards() allocates
    // nothing.
    //   count        elements of the gradient, equal on all ranks; may be 0
    //   chunk_size   elements of a chunk, >= 1, equal on all ranks, rounded up to whole cache
    //                lines (16 elements); changes speed, never bits
    // Throws, on every rank
    //   CommError   if the ranks were given different sizes, or a size that MPI's int count can
    //               not express
    OrderedRing(const Communicator& comm, std::size_t count,
                std::size_t chunk_size = kDefaultChunkSize);

    // Sums over the shards of all ranks.
    //   own_shards   this rank's shard gradients in ascending shard order, each of shape [count];
    //                empty on a rank that owns no shard of this step
    //   sum          shape [count]; out: the sum, the same bits on every rank. Overlaps no shard
    // Throws
    //   std::invalid_argument   if a length is not `count`; this rank has then sent nothing
    //   CommError               if MPI fails; `sum` is then undefined and other ranks may wait
    //                           forever, so the caller ends the run
    void sum_shards(std::span<const std::span<const float>> own_shards,
                    std::span<float> sum) override;

private:
    static constexpr std::size_t kMaxChunkSize = std::size_t{1} << 30;

    // This rank's part in the ring.
    bool begins_sum() const { return comm_.rank() == 0; }
    bool ends_sum() const { return comm_.rank() == comm_.size() - 1; }
    bool is_last_to_copy() const { return comm_.rank() == comm_.size() - 2; }

    // A place for the partial sum of one chunk on its way; chunk i takes slot i modulo kSlots.
    struct Slot {
        MPI_Request arrived = MPI_REQUEST_NULL;  // from the left; never on rank 0
        MPI_Request sent = MPI_REQUEST_NULL;     // to the right; never on rank P-1
    };
    // Half of them wait for chunks while half are being sent: enough that a rank seldom waits for a
    // chunk to leave, and memory does not grow with the gradient.
    static constexpr std::size_t kSlots = 16;
    static constexpr std::size_t kSlotsAhead = kSlots / 2;

    void post_first_receives(std::span<float> sum);
    void open_slot(std::size_t index);
    bool next_is_copy(std::size_t summed, std::size_t copied);
    void sum_chunk(std::size_t index, std::span<const std::span<const float>> own_shards,
                   std::span<float> sum);
    void pass_copy_on(std::size_t index, std::span<float> sum);
    void wait_for_sends();

    std::span<float> chunk_of(std::span<float> buffer, std::size_t index) const;
    std::span<float> partial_of(std::size_t index);
    Slot& slot_of(std::size_t index) { return slots_[index % kSlots]; }
    MPI_Request receive_from_left(std::span<float> chunk, int tag) const;
    MPI_Request send_right(std::span<const float> chunk, int tag) const;

    const Communicator& comm_;
    std::size_t count_;
    std::size_t chunk_size_;
    std::size_t chunks_ = 0;  // 0 with one rank
    std::array<Slot, kSlots> slots_;
    AlignedArray<float> slot_floats_;         // [kSlots, chunk_size], or as long as one chunk needs
    std::vector<MPI_Request> copy_receives_;  // [chunks], finished chunks; none on rank P-1
    std::vector<MPI_Request> copy_sends_;     // of the exchange that is going on
};

}  // namespace lockstep::trainer
