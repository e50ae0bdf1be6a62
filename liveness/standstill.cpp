#include "liveness/standstill.hpp"

namespace lockstep::liveness {

void Standstill::look(Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    sum_ += missed(now);
    last_ = now;
}

Standstill::Seconds Standstill::until(Clock::time_point now) const {
    const std::lock_guard lock(mutex_);
    return sum_ + missed(now);
}

Standstill::Seconds Standstill::missed(Clock::time_point now) const {
    if (last_ == Clock::time_point{} || now - last_ < kPeriod + kPatience) return Seconds{0};
    return now - last_ - kPeriod;
}

Standstill& own_standstill() {
    static Standstill own;
    return own;
}

}  // namespace lockstep::liveness
