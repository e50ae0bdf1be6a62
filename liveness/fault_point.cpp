#include "liveness/fault_point.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace lockstep::liveness {

bool detail::are_faults_armed = false;

namespace {

constexpr const char* kVariable = "LOCKSTEP_FAULT";
constexpr std::array<std::string_view, 18> kPoints{"init",
                                                   "data.load",
                                                   "step.begin",
                                                   "step.after_forward",
                                                   "exchange",
                                                   "exchange.hop",
                                                   "step.after_update",
                                                   "evaluation",
                                                   "epoch.end",
                                                   "ckpt.serialize",
                                                   "ckpt.before_fsync",
                                                   "ckpt.before_rename",
                                                   "ckpt.after_rename",
                                                   "db.begin",
                                                   "db.before_commit",
                                                   "db.after_commit",
                                                   "report.write",
                                                   "finalize"};
constexpr std::array<std::string_view, 8> kActions{"kill", "abort", "segv",  "exit",
                                                   "stop", "hang",  "sleep", "error"};

struct Fault {
    std::string point;
    std::optional<std::int64_t> rank, step, count, attempt;
    std::string action;
    std::int64_t number = 0;  // of exit and sleep
    std::int64_t times = 0;   // that the process came by
};

std::vector<Fault>& faults() {
    static std::vector<Fault> all;
    return all;
}

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
    throw std::invalid_argument(fmt::format("{}: \"{}\": {}", kVariable, text, why));
}

std::int64_t number_of(std::string_view text, std::string_view all) {
    std::int64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || rest != end || value < 0) refuse(all, "a number is missing");
    return value;
}

// Cuts off what stands before the separator; all, where there is none.
std::string_view take_until(std::string_view& text, char separator) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view taken = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return taken;
}

void read_selector(std::string_view selector, std::string_view all, Fault& fault) {
    const std::string_view key = take_until(selector, '=');
    std::optional<std::int64_t>* place = key == "rank"      ? &fault.rank
                                         : key == "step"    ? &fault.step
                                         : key == "count"   ? &fault.count
                                         : key == "attempt" ? &fault.attempt
                                                            : nullptr;
    if (place == nullptr) refuse(all, "the keys are rank, step, count and attempt");
    *place = number_of(selector, all);
}

Fault read_fault(std::string_view all) {
    Fault fault;
    std::string_view action = all;
    std::string_view where = take_until(action, ':');
    fault.point = take_until(where, '@');
    if (std::ranges::find(kPoints, fault.point) == kPoints.end())
        refuse(all, fmt::format("the points are {}", fmt::join(kPoints, ", ")));
    while (!where.empty()) read_selector(take_until(where, '@'), all, fault);
    fault.action = take_until(action, '=');
    if (std::ranges::find(kActions, fault.action) == kActions.end())
        refuse(all, fmt::format("the actions are {}", fmt::join(kActions, ", ")));
    if (fault.action == "exit" || fault.action == "sleep") fault.number = number_of(action, all);
    return fault;
}

bool is_meant(Fault& fault, std::string_view point, std::int64_t step) {
    if (fault.point != point || (fault.step && *fault.step != step)) return false;
    ++fault.times;
    return !fault.count || *fault.count == fault.times;
}

void act(const Fault& fault) {
    const std::string& action = fault.action;
    if (action == "kill") std::raise(SIGKILL);
    if (action == "abort") std::abort();
    if (action == "segv") std::raise(SIGSEGV);
    if (action == "exit") ::_exit(static_cast<int>(fault.number));
    if (action == "stop") std::raise(SIGSTOP);
    while (action == "hang") ::pause();
    if (action == "sleep") std::this_thread::sleep_for(std::chrono::seconds(fault.number));
    if (action == "error") throw std::runtime_error("a fault on purpose at " + fault.point);
}

}  // namespace

void arm_faults(int rank, int attempt) {
    faults().clear();
    const char* variable = std::getenv(kVariable);
    std::string_view text = variable == nullptr ? "" : variable;
    while (!text.empty()) {
        Fault fault = read_fault(take_until(text, ';'));
        const bool is_here =
            fault.rank.value_or(rank) == rank && fault.attempt.value_or(attempt) == attempt;
        if (is_here) faults().push_back(std::move(fault));
    }
    detail::are_faults_armed = !faults().empty();
}

void detail::strike(std::string_view point, std::int64_t step) {
    for (Fault& fault : faults())
        if (is_meant(fault, point, step)) act(fault);
}

}  // namespace lockstep::liveness
