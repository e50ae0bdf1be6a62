// How ranks of one node take turns at shared memory, with threads of this process for ranks: the
// right sums, and, under the thread sanitizer, no access that the meetings leave unordered. Ranks
// that are processes share memory in a way no sanitizer sees (exchange_test.cpp looks at their
// bits).
#include "trainer/exchange/meeting.hpp"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/support/catch.hpp"

using namespace lockstep::trainer;

namespace {

// Runs rank(number, its meeting) for each rank in a thread of its own.
template <class Rank>
void run_ranks(int ranks, const Rank& rank) {
    std::vector<SharedCounter> counters(static_cast<std::size_t>(ranks));
    std::vector<std::thread> threads;
    for (int r = 0; r < ranks; ++r)
        threads.emplace_back([&, r] {
            Meeting meeting(counters, r, nullptr);
            rank(r, meeting);
        });
    for (std::thread& thread : threads) thread.join();
}

constexpr int kSteps = 200;

}  // namespace

// As TreeExchange does: all write gradients, meet, each updates its weights by all gradients, meet.
TEST_CASE("ranks that meet before and after an update see all of it", "[trainer]") {
    for (const int ranks : {1, 2, 3, 8}) {
        CAPTURE(ranks);
        const auto count = static_cast<std::size_t>(ranks);
        std::vector<int> weights(count), gradients(count);
        std::atomic<int> wrong{0};
        run_ranks(ranks, [&](int rank, Meeting& meeting) {
            const auto own = static_cast<std::size_t>(rank);
            for (int step = 0; step < kSteps; ++step) {
                int sum_of_weights = 0;
                for (const int weight : weights) sum_of_weights += weight;
                if (sum_of_weights != ranks * ranks * step) ++wrong;
                gradients[own] = 1;
                meeting.meet();
                for (const int gradient : gradients) weights[own] += gradient;
                meeting.meet();
            }
        });
        CHECK(wrong == 0);
    }
}

// As ShardGather does: two sets of tables in turn, one meeting for each.
TEST_CASE("with two tables in turn one meeting is enough", "[trainer]") {
    for (const int ranks : {2, 3, 8}) {
        CAPTURE(ranks);
        std::vector<int> tables[2];
        for (auto& table : tables) table.resize(static_cast<std::size_t>(ranks));
        std::atomic<int> wrong{0};
        run_ranks(ranks, [&](int rank, Meeting& meeting) {
            for (int step = 0; step < kSteps; ++step) {
                std::vector<int>& table = tables[step % 2];
                table[static_cast<std::size_t>(rank)] = step;
                meeting.meet();
                for (const int value : table)
                    if (value != step) ++wrong;
            }
        });
        CHECK(wrong == 0);
    }
}

TEST_CASE("a rank that comes late finds the others asleep and wakes them", "[trainer]") {
    run_ranks(3, [](int rank, Meeting& meeting) {
        for (int step = 0; step < 3; ++step) {
            if (rank == step) std::this_thread::sleep_for(std::chrono::milliseconds(20));
            meeting.meet();
        }
    });
    SUCCEED();
}

TEST_CASE("counters go on where 32 bits end", "[trainer]") {
    SharedCounter counter;
    CHECK(counter.has_reached(0));
    CHECK(counter.has_reached(0xFFFFFFF0U));  // which a counter that now stands at 0 has passed
    CHECK_FALSE(counter.has_reached(1));
    counter.raise();
    CHECK(counter.value() == 1);
    CHECK(counter.has_reached(1));
}
