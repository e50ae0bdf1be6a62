#include "trainer/exchange/shared_counter.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <climits>

namespace lockstep::trainer {
namespace {

// Not std::atomic::wait: that sleeps per process, and the ranks are processes.
long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value,
           const timespec* timeout) {
    return syscall(SYS_futex, &word, operation, value, timeout, nullptr, 0);
}

}  // namespace

void SharedCounter::sleep_while(std::uint32_t seen, std::chrono::microseconds longest) {
    const timespec timeout{.tv_sec = longest.count() / 1'000'000,
                           .tv_nsec = longest.count() % 1'000'000 * 1'000};
    sleepers_.fetch_add(1, std::memory_order_seq_cst);  // before the kernel looks at the value
    futex(value_, FUTEX_WAIT, seen, &timeout);
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
}

void SharedCounter::wake() { futex(value_, FUTEX_WAKE, INT_MAX, nullptr); }

}  // namespace lockstep::trainer
