#pragma once

// The ordered sum inside one node: the buffer stays in shared memory, and the ranks come to it.
//
// Ranks own contiguous ranges of shards, in rank order, as in the ordered ring. One buffer of the
// gradient's length is shared by all ranks and cut into chunks. Each chunk is visited by the ranks
// in their order: rank 0 writes +0 and its own shards' terms to it, rank 1 adds its own in place,
// ..., rank P-1 finishes it. Then every rank copies the finished chunk out. A rank tells how far it
// is with one counter; while rank 1 adds to one chunk, rank 0 is at the next.
//
// Every element is ((0 + g0) + g1) + ... + g(S-1) in float32, as in the ordered ring: the bits are
// the same, on any number of ranks.
//
// Cost: no messages. A rank reads and writes count floats of the shared buffer to add and reads
// them once more to copy; a chunk's way through P ranks fills the pipeline, P x chunk / bandwidth.
//
// What orders memory: a counter is stored with release after its chunk was written and loaded with
// acquire before that chunk is read.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "trainer/exchange/communicator.hpp"
#include "trainer/exchange/exchange.hpp"
#include "trainer/exchange/shared_memory.hpp"
#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::trainer {

class SharedWindow : public Exchange {
public:
    // 32 KiB, by measurement (docs/exchange.md): many in a gradient of 0.5 MB, all of one in a
    // core's first cache, and looking at another rank's counter costs little beside one.
    static constexpr std::size_t kDefaultChunkSize = 8192;

    // Collective. The communicator must outlive the result.
    //   count        elements of the gradient, equal on all ranks; may be 0
    //   chunk_size   elements of a chunk, >= 1, equal on all ranks, rounded up to whole cache lines
    // Returns null, on every rank, if the ranks cannot share memory (see SharedMemory::map).
    // Throws, on every rank
    //   CommError   if the ranks were given different sizes, or a chunk size of 0
    static std::unique_ptr<SharedWindow> make(const Communicator& comm, std::size_t count,
                                              std::size_t chunk_size = kDefaultChunkSize);

    // As Exchange::sum_shards(); allocates nothing. Waits for the other ranks by looking at their
    // counters, and yields the core when that takes long.
    void sum_shards(std::span<const std::span<const float>> own_shards,
                    std::span<float> sum) override;

private:
    // One rank's progress since the beginning; only that rank writes it.
    struct alignas(2 * kAlignment) Progress {
        std::atomic<std::uint64_t> chunks_added{0};
        std::atomic<std::uint64_t> sums_finished{0};
    };
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

    SharedWindow(const Communicator& comm, std::size_t count, std::size_t chunk_size,
                 SharedMemory memory);

    Progress& own_progress() const { return progress_[static_cast<std::size_t>(comm_.rank())]; }
    bool is_own_turn(std::size_t index) const;
    bool is_finished(std::size_t index) const;
    bool has_added(int rank, std::size_t index) const;
    bool everyone_has_the_last_sum() const;
    void add_chunk(std::size_t index, std::span<const std::span<const float>> own_shards);
    void copy_chunk(std::size_t index, std::span<float> sum) const;
    std::span<float> chunk_of(std::span<float> buffer, std::size_t index) const;

    const Communicator& comm_;
    std::size_t count_;
    std::size_t chunk_size_;
    std::size_t chunks_;
    SharedMemory memory_;
    std::span<Progress> progress_;  // [P], in memory_
    std::span<float> shared_sum_;   // [count], in memory_
    std::uint64_t sums_ = 0;        // finished by this rank
};

}  // namespace lockstep::trainer
