#include "pipeline/ranks/start_deadline.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/ranks/process_state.hpp"
#include "pipeline/ranks/rank_environment.hpp"
#include "pipeline/ranks/rank_lines.hpp"
#include "pipeline/ranks/signals_held_back.hpp"
#include "storage/files/this_host.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::chrono::seconds kBehindRankZero{2};

}  // namespace

StartDeadline::StartDeadline(std::chrono::seconds limit) : limit_(limit) {
    const SignalsHeldBack held_back;
    thread_ = std::thread([this] { run(); });
}

StartDeadline::~StartDeadline() {
    {
        const std::lock_guard lock(mutex_);
        has_started_ = true;
    }
    ended_.notify_all();
    thread_.join();
}

void StartDeadline::run() {
    const int rank = rank_from_environment();
    const auto limit = rank == 0 ? limit_ : limit_ + kBehindRankZero;
    std::unique_lock lock(mutex_);
    if (ended_.wait_for(lock, limit, [this] { return has_started_; })) return;
    write_line_of_rank(lost_line(
        fmt::format("ranks: rank {} ({}) has waited {} s for all of them to start; one has ended "
                    "before, or is another program",
                    rank, storage::host_name(), limit_.count())));
    ::_exit(kExitInterrupted);
}

}  // namespace lockstep::pipeline
