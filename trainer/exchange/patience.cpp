#include "trainer/exchange/patience.hpp"

#include <sched.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <thread>

namespace lockstep::trainer {
namespace {

using std::chrono::microseconds;

// Of a wait: longer than ranks with equal work are apart, and than a core takes to be given back.
constexpr microseconds kLooking{40};
// A sleep lasts a small part of what was waited already, so that it delays by no more.
constexpr int kShareOfWait = 16;
constexpr microseconds kLongestSleep{1000};
constexpr int kLooksBetweenClocks = 32;

void pause() {
#if defined(__x86_64__)
    _mm_pause();
#endif
}

}  // namespace

Patience::Phase Patience::next_phase() {
    if (phase_ == Phase::look && ++looks_ % kLooksBetweenClocks != 0) return Phase::look;
    const auto now = Clock::now();
    if (start_ == Clock::time_point{}) start_ = now;
    const auto waited = std::chrono::duration_cast<microseconds>(now - start_);
    sleep_ = std::min(kLongestSleep, waited / kShareOfWait);
    phase_ = waited < kLooking ? Phase::look : waited < awake_ ? Phase::offer : Phase::sleep;
    return phase_;
}

bool Patience::stays_awake() {
    const Phase phase = next_phase();
    if (phase == Phase::look) {
        pause();
        return true;
    }
    let_messages_go_on();
    if (phase == Phase::offer) sched_yield();
    if (phase == Phase::sleep && !waiting_) waiting_.emplace();
    return phase == Phase::offer;
}

void Patience::wait_a_moment() {
    if (!stays_awake()) std::this_thread::sleep_for(sleep_);
}

void Patience::wait_a_moment_for(SharedCounter& counter, std::uint32_t target) {
    if (stays_awake()) return;
    const std::uint32_t seen = counter.value();
    if (static_cast<std::int32_t>(seen - target) < 0) counter.sleep_while(seen, kLongestSleep);
}

void Patience::let_messages_go_on() const {
    if (comm_ == nullptr) return;
    int flag = 0;
    check_mpi(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm_->handle(), &flag, MPI_STATUS_IGNORE),
              "MPI_Iprobe");
}

void wait_for_all(std::span<MPI_Request> requests) {
    for (MPI_Request& request : requests) {
        Patience patience(nullptr, Patience::kAwakeForMessages);  // testing lets MPI go on
        for (;;) {
            int is_complete = 0;
            check_mpi(MPI_Test(&request, &is_complete, MPI_STATUS_IGNORE), "MPI_Test");
            if (is_complete != 0) break;
            patience.wait_a_moment();
        }
    }
}

}  // namespace lockstep::trainer
