#pragma once

// The ordered sum over memory that ranks share: how they take turns. It does not know how they came
// to share it (shared_window.hpp: processes of one node; tests: threads of one process).
//
// Ranks own contiguous ranges of shards, in rank order, as in the ordered ring. One buffer of the
// gradient's length is shared by all ranks and cut into chunks. Each chunk is visited by the ranks
// in their order: rank 0 writes +0 and its own shards' terms to it, rank 1 adds its own in place,
// ..., rank P-1 finishes it. Then every rank copies the finished chunk out. A rank tells how far it
// is with one counter; while rank 1 adds to one chunk, rank 0 is at the next.
//
// What orders memory: a counter is stored with release after its chunk was written and loaded with
// acquire before that chunk is read.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::trainer {

// One rank's view of it.
class SharedSum {
public:
    struct Layout {
        int ranks = 1;
        std::size_t count = 0;       // elements of the gradient; may be 0
        std::size_t chunk_size = 0;  // elements of a chunk, >= 1, rounded up to whole cache lines

        std::size_t bytes() const;  // that the ranks must share
    };

    static constexpr std::size_t kMemoryAlignment = 2 * kAlignment;

    // `memory`: zero, aligned to kMemoryAlignment, layout.bytes() long, the same for all ranks.
    // Every rank must have come out of here before one of them begins.
    SharedSum(std::span<std::byte> memory, const Layout& layout, int rank);

    // One sum: begin(), then advance() until is_finished(). Both spans must last until then.
    //   own_shards   each of shape [count]
    //   sum          shape [count]
    void begin(std::span<const std::span<const float>> own_shards, std::span<float> sum);
    // Adds to a chunk or copies one out. False: that is the other ranks' turn now.
    bool advance();
    bool is_finished() const { return copied_ == chunks_; }

private:
    // One rank's progress since the beginning; only that rank writes it.
    struct alignas(kMemoryAlignment) Progress {
        std::atomic<std::uint64_t> chunks_added{0};
        std::atomic<std::uint64_t> sums_finished{0};
    };
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

    Progress& own_progress() const { return progress_[static_cast<std::size_t>(rank_)]; }
    bool is_own_turn(std::size_t index) const;
    bool has_finished(std::size_t index) const;
    bool has_added(int rank, std::size_t index) const;
    bool everyone_has_the_last_sum() const;
    void add_chunk(std::size_t index);
    void copy_chunk(std::size_t index);
    void tell_finished_sum();
    std::span<float> chunk_of(std::span<float> buffer, std::size_t index) const;

    int rank_;
    int ranks_;
    std::size_t count_;
    std::size_t chunk_size_;
    std::size_t chunks_;
    std::span<Progress> progress_;  // [P], shared
    std::span<float> shared_sum_;   // [count], shared
    std::uint64_t sums_ = 0;        // finished by this rank

    // The sum under way.
    std::span<const std::span<const float>> own_shards_;
    std::span<float> sum_;
    std::size_t added_ = 0;
    std::size_t copied_ = 0;
};

}  // namespace lockstep::trainer
