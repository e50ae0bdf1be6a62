#pragma once

// A counter in memory that several ranks map: how they tell each other how far they are, and sleep
// until another one is further.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace lockstep::trainer {

// Only its owner raises it. Alone on its two cache lines, which CPUs fetch together. Memory of
// zeros is a counter at zero.
class alignas(128) SharedCounter {
public:
    // What the owner wrote before is visible to a rank that then reads this value.
    void raise() {
        value_.fetch_add(1, std::memory_order_seq_cst);  // before it looks for sleepers
        if (sleepers_.load(std::memory_order_seq_cst) > 0) wake();
    }
    // From zero on, modulo 2^32.
    std::uint32_t value() const { return value_.load(std::memory_order_acquire); }
    bool has_reached(std::uint32_t target) const {
        return static_cast<std::int32_t>(value() - target) >= 0;
    }
    // Gives the core away until the counter is raised above `seen`, or for so long.
    void sleep_while(std::uint32_t seen, std::chrono::microseconds longest);

private:
    void wake();

    std::atomic<std::uint32_t> value_{0};
    std::atomic<std::uint32_t> sleepers_{0};
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

}  // namespace lockstep::trainer
