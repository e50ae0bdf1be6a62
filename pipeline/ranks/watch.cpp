#include "pipeline/ranks/watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace lockstep::pipeline {
namespace {

using liveness::Phase;
using liveness::Pulse;
using Seconds = Watch::Seconds;

constexpr Seconds kWord{10};          // after which a silence is told
constexpr Seconds kGone{5};           // mpirun ends a job before that
constexpr Seconds kLeast{60};         // that a stall takes
constexpr Seconds kDisk{600};         // or what nobody has measured yet
constexpr double kLongestSteps = 20;  // that a stall takes
constexpr double kWordSteps = 3;

Phase phase_of(const Pulse& pulse) {
    return static_cast<Phase>(pulse.phase.load(std::memory_order_relaxed));
}

bool touches_disks(Phase phase) {
    return phase == Phase::start || phase == Phase::data || phase == Phase::checkpoint ||
           phase == Phase::recording;
}

std::string seconds_text(Seconds seconds) { return fmt::format("{:.0f} s", seconds.count()); }

}  // namespace

Watch::Watch(std::span<const Pulse> pulses, std::optional<std::chrono::seconds> stall_timeout,
             std::function<ProcessState(pid_t)> state_of)
    : pulses_(pulses),
      stall_timeout_(stall_timeout),
      state_of_(std::move(state_of)),
      ranks_(pulses.size()) {}

std::string Watch::name_of(const Pulse& pulse) {
    return fmt::format("rank {} ({}, process {})", pulse.rank.load(), pulse.host,
                       pulse.process.load());
}

std::string Watch::place_of(const Pulse& pulse) {
    std::string text(liveness::to_string(phase_of(pulse)));
    const std::int64_t step = pulse.step.load(std::memory_order_relaxed);
    if (step >= 0) text += fmt::format(", step {}", step);
    return text;
}

std::optional<Watch::Finding> Watch::look(Seconds since_last) {
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank)
        if (is_here(rank)) update(rank, since_last);
    if (auto gone = find_gone()) return gone;
    const auto found = suspect();
    if (!found) return std::nullopt;
    Rank& rank = ranks_[*found];
    const Pulse& pulse = pulses_[*found];
    std::string text = fmt::format("{}: no progress for {} in {}", name_of(pulse),
                                   seconds_text(rank.silence), place_of(pulse));
    if (rank.state == ProcessState::stopped) text += "; the process is stopped";
    if (waits(*found)) text += "; it waits for ranks elsewhere";
    const auto process = static_cast<pid_t>(pulse.process.load());
    if (rank.silence >= limit_of(*found))
        return Finding{.process = process, .is_end = true, .text = text};
    if (rank.is_told || waits(*found)) return std::nullopt;
    rank.is_told = true;
    return Finding{.process = process, .is_end = false, .text = text};
}

bool Watch::is_here(std::size_t rank) const {
    return pulses_[rank].process.load(std::memory_order_acquire) != 0;
}

void Watch::update(std::size_t number, Seconds since_last) {
    Rank& rank = ranks_[number];
    const Pulse& pulse = pulses_[number];
    rank.silence += since_last;
    rank.since_step += since_last;
    rank.state = state_of_(static_cast<pid_t>(pulse.process.load(std::memory_order_relaxed)));
    rank.gone = rank.state == ProcessState::gone ? rank.gone + since_last : Seconds(0);
    const std::uint32_t beats = pulse.beats.load(std::memory_order_relaxed);
    if (rank.state != ProcessState::gone && std::exchange(rank.beats, beats) != beats) {
        rank.silence = Seconds(0);
        rank.is_told = false;
    }
    const std::int64_t step = pulse.step.load(std::memory_order_relaxed);
    const std::int64_t before = std::exchange(rank.step, step);
    if (before == step) return;
    if (before >= 0 && step > before)
        longest_step_ =
            std::max(longest_step_, rank.since_step / static_cast<double>(step - before));
    rank.since_step = Seconds(0);
}

bool Watch::waits(std::size_t rank) const {
    const bool is_stopped = ranks_[rank].state == ProcessState::stopped;
    return !is_stopped && (pulses_[rank].waits.load(std::memory_order_relaxed) > 0 ||
                           phase_of(pulses_[rank]) == Phase::finalize);
}

// Ranks that wait for one that gives signs are in order, and so is one with nothing left to train.
std::optional<std::size_t> Watch::suspect() const {
    std::optional<std::size_t> found;
    bool is_one_working = false;
    const auto order = [this](std::size_t rank) {
        return std::tuple(waits(rank), ranks_[rank].state != ProcessState::stopped,
                          ranks_[rank].step);
    };
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
        if (!is_here(rank) || ranks_[rank].state == ProcessState::gone) continue;
        const bool is_idle =
            phase_of(pulses_[rank]) == Phase::idle && ranks_[rank].state != ProcessState::stopped;
        if (is_idle) continue;
        if (ranks_[rank].silence < told_after()) {
            is_one_working = is_one_working || !waits(rank);
            continue;
        }
        if (!found || order(rank) < order(*found)) found = rank;
    }
    if (found && waits(*found) && is_one_working) return std::nullopt;
    return found;
}

std::optional<Watch::Finding> Watch::find_gone() const {
    const auto is_ending = [this](std::size_t rank) {
        return phase_of(pulses_[rank]) == Phase::finalize;
    };
    bool is_one_left = false;
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank)
        is_one_left = is_one_left || (is_here(rank) && !is_ending(rank) &&
                                      ranks_[rank].state != ProcessState::gone);
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
        const bool is_gone = is_here(rank) && ranks_[rank].state == ProcessState::gone;
        if (!is_gone || ranks_[rank].gone < kGone) continue;
        if (is_ending(rank) && !is_one_left) continue;
        return Finding{.process = 0,
                       .is_end = true,
                       .text = fmt::format("{} is gone, last in {}", name_of(pulses_[rank]),
                                           place_of(pulses_[rank]))};
    }
    return std::nullopt;
}

Seconds Watch::told_after() const {
    const Seconds word = std::max(kWord, kWordSteps * longest_step_);
    return stall_timeout_ ? std::min(word, Seconds(*stall_timeout_)) : word;
}

Seconds Watch::limit_of(std::size_t rank) const {
    // Whom it waits for has the same limit, and is to be named first.
    if (stall_timeout_) return Seconds(*stall_timeout_) * (waits(rank) ? 2 : 1);
    const bool is_measured = longest_step_ > Seconds(0);
    if (waits(rank) || touches_disks(phase_of(pulses_[rank])) || !is_measured)
        return std::max(kDisk, kLongestSteps * longest_step_);
    return std::max(kLeast, kLongestSteps * longest_step_);
}

}  // namespace lockstep::pipeline
