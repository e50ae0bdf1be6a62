// A number that is none must not pass for a small error, wherever it stands.

#include "tests/support/worst_error.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/catch.hpp"

namespace lockstep::tests {

TEST_CASE("the worst error is the largest, and a NaN is worse", "[support]") {
    const std::vector<float> expected{1.0F, -2.0F, 3.0F};
    CHECK(worst_error(std::vector<float>{}, expected) == 0.0);
    CHECK(worst_error(std::vector<float>{1.5F, -1.0F, 3.25F}, expected) == 1.0);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        std::vector<float> found = expected;
        found[i] = std::numeric_limits<float>::quiet_NaN();
        CHECK(std::isnan(worst_error(found, expected)));
        CHECK(std::isnan(worst_error(expected, found)));
    }
}

}  // namespace lockstep::tests
