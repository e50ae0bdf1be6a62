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
constexpr Seconds kUnheard{25};       // of a machine; a break of 20 s heals
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
        if (is_known(rank)) update(rank, since_last);
    if (auto gone = find_gone()) return gone;
    const auto found = suspect();
    if (!found) return std::nullopt;
    Rank& rank = ranks_[*found];
    const std::string text = text_of(*found);
    const auto process =
        is_here(*found) ? static_cast<pid_t>(pulses_[*found].process.load()) : pid_t{0};
    const std::string unheard_host = is_unheard(*found) ? pulses_[*found].host : "";
    const Seconds quiet = is_unheard(*found) ? rank.unheard : rank.silence;
    if (quiet >= limit_of(*found))
        return Finding{.process = process,
                       .is_end = true,
                       .is_stall = true,
                       .unheard_host = unheard_host,
                       .text = text};
    if (rank.is_told || waits(*found)) return std::nullopt;
    rank.is_told = true;
    return Finding{.process = process,
                   .is_end = false,
                   .is_stall = true,
                   .unheard_host = unheard_host,
                   .text = text};
}

std::string Watch::text_of(std::size_t number) const {
    const Rank& rank = ranks_[number];
    const Pulse& pulse = pulses_[number];
    if (is_unheard(number))
        return fmt::format("{}: no sign of life from its host for {}, last in {}", name_of(pulse),
                           seconds_text(rank.unheard), place_of(pulse));
    std::string text = fmt::format("{}: no progress for {} in {}", name_of(pulse),
                                   seconds_text(rank.silence), place_of(pulse));
    if (rank.state == ProcessState::stopped) text += "; the process is stopped";
    if (waits(number)) text += "; it waits for ranks elsewhere";
    return text;
}

bool Watch::is_known(std::size_t rank) const {
    return pulses_[rank].process.load(std::memory_order_acquire) != 0;
}

bool Watch::is_here(std::size_t rank) const { return pulses_[rank].messages.load() == 0; }

// The lowest rank of a host receives for all of it.
bool Watch::is_deaf() const {
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
        const bool receives =
            is_known(rank) && is_here(rank) && pulses_[rank].node_rank.load() == 0;
        if (receives && ranks_[rank].state != ProcessState::alive) return true;
    }
    return false;
}

bool Watch::is_unheard(std::size_t rank) const {
    return !is_here(rank) && !is_deaf() && ranks_[rank].unheard >= told_after() / 2;
}

void Watch::update(std::size_t number, Seconds since_last) {
    Rank& rank = ranks_[number];
    const Pulse& pulse = pulses_[number];
    rank.silence += since_last;
    rank.since_step += since_last;
    rank.unheard += since_last;
    const std::uint32_t messages = pulse.messages.load();
    if (std::exchange(rank.messages, messages) != messages) rank.unheard = Seconds(0);
    rank.state = is_here(number) ? state_of_(static_cast<pid_t>(pulse.process.load()))
                                 : static_cast<ProcessState>(pulse.state.load());
    rank.gone = rank.state == ProcessState::gone ? rank.gone + since_last : Seconds(0);
    const std::uint32_t beats = pulse.beats.load(std::memory_order_relaxed);
    if (rank.state != ProcessState::gone && std::exchange(rank.beats, beats) != beats) {
        rank.silence = Seconds(0);
        rank.is_told = false;
    }
    const std::int64_t step = pulse.step.load(std::memory_order_relaxed);
    const std::int64_t before = std::exchange(rank.step, step);
    if (before == step) return;
    measure(before, step, pulse, rank.since_step);
    rank.since_step = Seconds(0);
}

// Steps may have passed before the first look at one: they took no longer than all until now, with
// the data read. Such a bound counts where it makes no limit longer.
void Watch::measure(std::int64_t before, std::int64_t step, const Pulse& pulse, Seconds taken) {
    const bool is_bound = before < 0;
    if (is_bound) before = pulse.first_step.load(std::memory_order_relaxed);
    if (before < 0 || step <= before) return;
    const Seconds each = taken / static_cast<double>(step - before);
    if (!is_bound || kLongestSteps * each <= kLeast) longest_step_ = std::max(longest_step_, each);
}

// What it was doing says nothing.
bool Watch::is_out(std::size_t rank) const {
    return ranks_[rank].state == ProcessState::stopped || is_unheard(rank);
}

bool Watch::waits(std::size_t rank) const {
    return !is_out(rank) && (pulses_[rank].waits.load(std::memory_order_relaxed) > 0 ||
                             phase_of(pulses_[rank]) == Phase::finalize);
}

// Whether it waits or not: what it waits in may be a call of MPI that nobody notes.
bool Watch::is_anyone_held_up() const {
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
        const Phase phase = phase_of(pulses_[rank]);
        if (!is_known(rank) || is_unheard(rank) || phase == Phase::idle) continue;
        if (ranks_[rank].silence >= told_after()) return true;
    }
    return false;
}

// Ranks that wait for one that gives signs are in order, and so is one with nothing left to train.
std::optional<std::size_t> Watch::suspect() const {
    std::optional<std::size_t> found;
    bool is_one_working = false;
    const auto order = [this](std::size_t rank) {
        return std::tuple(waits(rank), !is_out(rank), ranks_[rank].step);
    };
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
        if (!is_known(rank) || ranks_[rank].state == ProcessState::gone) continue;
        const bool has_ended = phase_of(pulses_[rank]) == Phase::finalize;
        if (is_unheard(rank) && (has_ended || !is_anyone_held_up())) continue;
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
        is_one_left = is_one_left || (is_known(rank) && !is_ending(rank) &&
                                      ranks_[rank].state != ProcessState::gone);
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
        const bool is_gone = is_known(rank) && ranks_[rank].state == ProcessState::gone;
        if (!is_gone || ranks_[rank].gone < kGone) continue;
        if (is_ending(rank) && !is_one_left) continue;
        return Finding{.process = 0,
                       .is_end = true,
                       .is_stall = false,
                       .unheard_host = {},
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
    if (is_unheard(rank)) return stall_timeout_ ? Seconds(*stall_timeout_) : kUnheard;
    if (stall_timeout_) return Seconds(*stall_timeout_) * (waits(rank) ? 2 : 1);
    const bool is_measured = longest_step_ > Seconds(0);
    if (waits(rank) || touches_disks(phase_of(pulses_[rank])) || !is_measured)
        return std::max(kDisk, kLongestSteps * longest_step_);
    return std::max(kLeast, kLongestSteps * longest_step_);
}

}  // namespace lockstep::pipeline
