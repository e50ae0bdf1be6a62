#include "pipeline/ranks/deadline.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/ranks/process_state.hpp"
#include "pipeline/ranks/rank_environment.hpp"
#include "pipeline/ranks/rank_lines.hpp"
#include "pipeline/ranks/signals_held_back.hpp"
#include "storage/files/this_host.hpp"

namespace lockstep::pipeline {
namespace {

using std::chrono::seconds;

constexpr seconds kMostOfMpiStart{600};
constexpr seconds kBehindRankZero{2};

}  // namespace

Deadline::Deadline(seconds limit, std::function<void()> tell)
    : limit_(limit), tell_(std::move(tell)) {
    const SignalsHeldBack held_back;
    thread_ = std::thread([this] { run(); });
}

Deadline::~Deadline() {
    {
        const std::lock_guard lock(mutex_);
        has_ended_ = true;
    }
    ended_.notify_all();
    thread_.join();
}

void Deadline::run() {
    std::unique_lock lock(mutex_);
    if (ended_.wait_for(lock, limit_, [this] { return has_ended_; })) return;
    tell_();
    ::_exit(kExitInterrupted);
}

void set_start_deadline(std::optional<Deadline>& deadline, std::optional<seconds> stall_timeout) {
    const int rank = rank_from_environment();
    const seconds limit =
        stall_timeout.value_or(kMostOfMpiStart) + (rank == 0 ? seconds(0) : kBehindRankZero);
    deadline.emplace(limit, [rank, limit] {
        write_line_of_rank(lost_line(
            fmt::format("ranks: rank {} ({}) has waited {} s for all of them to start; one has "
                        "ended before, or is another program",
                        rank, storage::host_name(), limit.count())));
    });
}

}  // namespace lockstep::pipeline
