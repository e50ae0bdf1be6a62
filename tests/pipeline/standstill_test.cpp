#include "liveness/standstill.hpp"

#include "tests/support/catch.hpp"

using lockstep::liveness::Standstill;
using std::chrono::milliseconds;

namespace {

constexpr Standstill::Clock::time_point kStart{std::chrono::hours(1)};

double after(const Standstill& standstill, milliseconds time) {
    return standstill.until(kStart + time).count();
}

}  // namespace

TEST_CASE("Looks that come in time, or little late, are no standstill", "[liveness]") {
    Standstill standstill;
    CHECK(after(standstill, milliseconds(0)) == 0.0);  // before the first look
    for (int i = 0; i < 10; ++i) standstill.look(kStart + i * milliseconds(1499));
    CHECK(after(standstill, 9 * milliseconds(1499)) == 0.0);
}

TEST_CASE("A look that comes seconds late tells for how long there was none", "[liveness]") {
    Standstill standstill;
    standstill.look(kStart);
    CHECK(after(standstill, milliseconds(1400)) == 0.0);
    // Asked before the look that finds it, by whoever was stopped together with the looker.
    CHECK(after(standstill, milliseconds(5500)) == 5.0);
    standstill.look(kStart + milliseconds(5500));
    CHECK(after(standstill, milliseconds(5500)) == 5.0);
    standstill.look(kStart + milliseconds(6000));
    CHECK(after(standstill, milliseconds(6000)) == 5.0);
    standstill.look(kStart + milliseconds(8500));
    CHECK(after(standstill, milliseconds(8600)) == 7.0);
}
