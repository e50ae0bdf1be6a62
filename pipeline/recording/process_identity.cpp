#include "pipeline/recording/process_identity.hpp"

#include <fmt/format.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "storage/files/process_life.hpp"
#include "storage/files/this_host.hpp"
#include "storage/files/utc_time.hpp"

namespace lockstep::pipeline {
namespace {

constexpr long kLeaseSeconds = 90;

}  // namespace

std::chrono::seconds lease_length() {
    const char* text = std::getenv("LOCKSTEP_LEASE_SECONDS");
    const long seconds = text != nullptr ? std::strtol(text, nullptr, 10) : 0;
    return std::chrono::seconds(seconds >= 1 && seconds <= 86400 ? seconds : kLeaseSeconds);
}

ProcessFate fate_of(const storage::AttemptRow& attempt) {
    const bool is_here = attempt.host == storage::host_name() &&
                         attempt.boot_id == storage::boot_id() &&
                         attempt.pid_namespace == storage::pid_namespace() && attempt.pid > 0;
    if (!is_here) return ProcessFate::unknown;
    switch (storage::life_of_process(static_cast<pid_t>(attempt.pid))) {
        case storage::ProcessLife::gone:
            return ProcessFate::gone;
        case storage::ProcessLife::ending:  // it may still finish a write
            return ProcessFate::lives;
        case storage::ProcessLife::lives:
            break;
    }
    if (attempt.process_start == 0 || storage::process_start(::getpid()) == 0)
        return ProcessFate::unknown;
    if (storage::process_start(static_cast<pid_t>(attempt.pid)) == attempt.process_start)
        return ProcessFate::lives;
    // Of other users' processes some systems show nothing.
    const bool is_visible = std::filesystem::exists(fmt::format("/proc/{}/stat", attempt.pid));
    return is_visible ? ProcessFate::gone : ProcessFate::unknown;
}

bool is_lease_out(const storage::AttemptRow& attempt) {
    const auto renewed = storage::unix_seconds(attempt.heartbeat_utc);
    const auto now = storage::unix_seconds(storage::utc_now());
    return !renewed || !now || *now - *renewed > attempt.lease_seconds;
}

bool is_alive(const storage::AttemptRow& attempt) {
    return attempt.outcome == "running" && fate_of(attempt) != ProcessFate::gone &&
           !is_lease_out(attempt);
}

}  // namespace lockstep::pipeline
