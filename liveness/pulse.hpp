#pragma once

// Signs of life: what a rank is doing and how far it is, in memory that others see. A watchdog
// tells by it a rank that works from one that waits for it, and a stuck one from both.
//
// To note something costs a few stores, and no clock: who watches looks at the time.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lockstep::liveness {

enum class Phase : std::uint32_t {
    absent,  // memory of zeros: no rank has come yet
    start,   // MPI has started; experiment, store and database are read
    data,
    preparation,  // of kernels, and of the weights to begin with
    gather,       // of a batch's samples
    forward,
    backward,
    exchange,
    evaluation,
    checkpoint,
    recording,
    idle,  // has trained all its runs; other ranks have not
    finalize,
};
std::string_view to_string(Phase phase);  // "loading data"

// One rank's, written by it alone where nothing else is said. Memory of zeros is one of no rank.
struct alignas(128) Pulse {
    std::atomic<std::uint32_t> phase{0};
    std::atomic<std::uint32_t> beats{0};       // raised by every sign
    std::atomic<std::uint32_t> ticks{0};       // raised by the rank's own watchdog
    std::atomic<std::int32_t> waits{0};        // > 0: it waits for other ranks
    std::atomic<std::int64_t> step{-1};        // of its run, from 0; -1 before the first
    std::atomic<std::int64_t> first_step{-1};  // of this process; of another machine's rank unknown
    std::atomic<std::int64_t> process{0};
    std::atomic<std::int32_t> rank{0};
    std::atomic<std::int32_t> node_rank{0};
    // Of a rank on another machine, which that one tells: how many messages have come, and in which
    // state its process is. 0: a rank of this machine.
    std::atomic<std::uint32_t> messages{0};
    std::atomic<std::uint32_t> state{0};
    // Of rank 0's alone, and set by any rank of this machine: one has told that the system refuses
    // it memory or threads.
    std::atomic<std::uint32_t> is_refusal_told{0};
    char host[64] = {};  // set before `process`
};

// From now on this process' signs go there. It must outlive all of them: whoever ends it calls
// this with null. Without memory of others a process notes for itself.
void use_pulse(Pulse* pulse);

namespace detail {
extern Pulse* own_pulse;
}

inline Pulse& own_pulse() { return *detail::own_pulse; }

inline void beat() {
    std::atomic<std::uint32_t>& beats = own_pulse().beats;
    beats.store(beats.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}
inline void note(Phase phase) {
    own_pulse().phase.store(static_cast<std::uint32_t>(phase), std::memory_order_relaxed);
    beat();
}
inline void note_step(std::int64_t step) {
    std::atomic<std::int64_t>& first = own_pulse().first_step;
    if (first.load(std::memory_order_relaxed) < 0) first.store(step, std::memory_order_relaxed);
    own_pulse().step.store(step, std::memory_order_relaxed);
    beat();
}

// While it lives this rank waits for others. May be nested.
class Waiting {
public:
    Waiting() { add(1); }
    ~Waiting() { add(-1); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

private:
    static void add(std::int32_t more) {
        std::atomic<std::int32_t>& waits = own_pulse().waits;
        waits.store(waits.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
        beat();
    }
};

}  // namespace lockstep::liveness
