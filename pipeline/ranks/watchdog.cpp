#include "pipeline/ranks/watchdog.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "liveness/standstill.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/progress/progress.hpp"
#include "pipeline/ranks/rank_environment.hpp"
#include "pipeline/ranks/rank_lines.hpp"
#include "pipeline/ranks/signals_held_back.hpp"
#include "storage/files/process_life.hpp"

namespace lockstep::pipeline {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPeriod = liveness::Standstill::kPeriod;
constexpr int kSilentLooks = 4;  // after which another rank's watchdog counts as stopped

}  // namespace

Watchdog::Watchdog(const PulsePage& page, std::optional<std::chrono::seconds> stall_timeout)
    : page_(page), watch_(page.pulses(), stall_timeout), others_(page.pulses().size()) {
    liveness::own_standstill().look(SteadyClock::now());
    const SignalsHeldBack held_back;
    thread_ = std::thread([this] { run(); });
}

Watchdog::~Watchdog() {
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
    }
    ended_.notify_all();
    thread_.join();
}

void Watchdog::run() {
    auto last = SteadyClock::now();
    std::unique_lock lock(mutex_);
    while (!ended_.wait_for(lock, kPeriod, [this] { return is_ending_; })) {
        const auto now = SteadyClock::now();
        liveness::own_standstill().look(now);
        // While this process was stopped, or the machine asleep, nobody was expected to move.
        const Watch::Seconds since_last = std::min<SteadyClock::duration>(now - last, 2 * kPeriod);
        last = now;
        page_.own().ticks.fetch_add(1, std::memory_order_relaxed);
        const bool is_watched = page_.watcher() != 0 && storage::life_of_process(page_.watcher()) !=
                                                            storage::ProcessLife::gone;
        if (is_watched) continue;
        const bool is_foremost_now = is_foremost();
        const auto finding = watch_.look(since_last);
        if (finding && is_foremost_now) tell(*finding);
    }
}

bool Watchdog::is_foremost() {
    for (std::size_t rank = 0; rank < others_.size(); ++rank) {
        const liveness::Pulse& pulse = page_.pulses()[rank];
        if (&pulse == &page_.own()) return true;
        if (pulse.process.load(std::memory_order_acquire) == 0) continue;
        Other& other = others_[rank];
        const std::uint32_t ticks = pulse.ticks.load(std::memory_order_relaxed);
        other.silent_looks =
            std::exchange(other.ticks, ticks) == ticks ? other.silent_looks + 1 : 0;
        if (other.silent_looks < kSilentLooks) return false;
    }
    return true;
}

// What is said here goes to mpirun, and cannot reach it where its own host is the silent one. It
// would stand unacknowledged in the connection of mpirun's daemon, which then takes a minute
// instead of 25 s to notice: TCP asks for a sign of life only where nothing is under way. A bare
// mpirun is most often where rank 0 is; but there a rank that is stopped alone on that host is
// named by nobody else, so the last word is said.
void Watchdog::tell(const Watch::Finding& finding) const {
    const std::string known = supervising_host();
    const std::string mpirun_host = known.empty() ? page_.pulses()[0].host : known;
    const bool is_heard = finding.unheard_host.empty() || finding.unheard_host != mpirun_host;
    if (!finding.is_end) {
        if (is_heard) write_line_of_rank(waiting_line(finding.text));
        return;
    }
    if (is_heard || known.empty()) write_line_of_rank(lost_line(finding.text));
    ::_exit(kExitInterrupted);
}

}  // namespace lockstep::pipeline
