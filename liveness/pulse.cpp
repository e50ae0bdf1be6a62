#include "liveness/pulse.hpp"

#include <array>

namespace lockstep::liveness {
namespace {

Pulse pulse_of_its_own;

}  // namespace

Pulse* detail::own_pulse = &pulse_of_its_own;

void use_pulse(Pulse* pulse) { detail::own_pulse = pulse != nullptr ? pulse : &pulse_of_its_own; }

std::string_view to_string(Phase phase) {
    constexpr std::array<std::string_view, 13> kNames{
        "not started",     "starting",   "loading data", "preparing",
        "reading a batch", "forward",    "backward",     "exchange",
        "evaluation",      "checkpoint", "recording",    "waiting for other runs",
        "ending"};
    const auto place = static_cast<std::size_t>(phase);
    return place < kNames.size() ? kNames[place] : "unknown";
}

}  // namespace lockstep::liveness
