// The turns that ranks take at shared memory, with threads of this process for ranks: the bits of a
// plain loop, and, under the thread sanitizer, no access that the counters leave unordered. Ranks
// that are processes share memory in a way no sanitizer sees (exchange_test.cpp looks at their
// bits).
#include "trainer/exchange/shared_sum.hpp"

#include <cstddef>
#include <span>
#include <thread>
#include <vector>

#include "tests/mpi/shard_gradients.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep::tests;
using lockstep::trainer::SharedSum;

namespace {

constexpr std::size_t kShards = 8;

struct alignas(SharedSum::kMemoryAlignment) Line {
    std::byte bytes[SharedSum::kMemoryAlignment];
};
using SharedMemory = std::vector<Line>;  // zero

// Sums of one rank, step after step. Catch2 is no place for threads: what is wrong is returned.
class RankOfThreads {
public:
    RankOfThreads(std::span<std::byte> memory, const SharedSum::Layout& layout, int rank)
        : layout_(layout), rank_(rank), shared_sum_(memory, layout, rank) {}

    void sum_all(const std::vector<ShardGradients>& steps) {
        for (const ShardGradients& gradients : steps) {
            const auto own = gradients.own(rank_, layout_.ranks, Ownership::near_equal);
            std::vector<float> sum(layout_.count, 7.0F);
            shared_sum_.begin(own, sum);
            while (!shared_sum_.is_finished()) {
                if (!shared_sum_.advance()) std::this_thread::yield();
            }
            all_right_ = all_right_ && same_bits(sum, gradients.serial_sum());
        }
    }
    bool all_right() const { return all_right_; }

private:
    SharedSum::Layout layout_;
    int rank_;
    SharedSum shared_sum_;
    bool all_right_ = true;
};

void check_sums(const SharedSum::Layout& layout) {
    CAPTURE(layout.ranks, layout.count, layout.chunk_size);
    constexpr std::uint32_t kSteps = 5;
    std::vector<ShardGradients> steps;
    for (std::uint32_t step = 0; step < kSteps; ++step) {
        steps.emplace_back(kShards, layout.count, step);
    }
    SharedMemory memory(layout.bytes() / sizeof(Line) + 1);
    std::vector<RankOfThreads> ranks;
    for (int rank = 0; rank < layout.ranks; ++rank)
        ranks.emplace_back(std::as_writable_bytes(std::span(memory)), layout, rank);
    std::vector<std::thread> threads;
    for (RankOfThreads& rank : ranks) threads.emplace_back([&] { rank.sum_all(steps); });
    for (std::thread& thread : threads) thread.join();
    for (const RankOfThreads& rank : ranks) CHECK(rank.all_right());
}

}  // namespace

TEST_CASE("shared sum: the bits are those of a plain loop over the shards", "[trainer]") {
    for (const int ranks : {1, 2, 3, 8}) {
        for (const std::size_t count : {0U, 1U, 16U, 17U, 3001U}) {
            for (const std::size_t chunk_size : {1U, 100U, 5000U}) {
                check_sums({.ranks = ranks, .count = count, .chunk_size = chunk_size});
            }
        }
    }
}
