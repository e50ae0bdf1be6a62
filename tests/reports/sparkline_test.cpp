#include "reports/charts/sparkline.hpp"

#include <limits>
#include <vector>

#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

TEST_CASE("A curve in a line goes from its lowest to its highest block") {
    const std::vector<double> rising{0, 1, 2, 3, 4, 5, 6, 7};
    CHECK(sparkline(rising, 40, Glyphs::ascii) == "_.:-=+*#");
    CHECK(sparkline(rising, 40, Glyphs::unicode) == "▁▂▃▄▅▆▇█");
    CHECK(sparkline(std::vector{2.0, 1.0}, 40, Glyphs::ascii) == "#_");
}

TEST_CASE("A curve without height lies low; without values there is none") {
    CHECK(sparkline(std::vector{0.5, 0.5, 0.5}, 40, Glyphs::ascii) == "___");
    CHECK(sparkline({}, 40, Glyphs::ascii).empty());
    CHECK(sparkline(std::vector{1.0}, 0, Glyphs::ascii).empty());
}

TEST_CASE("No finite number is an x, and changes no other block") {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    constexpr double infinity = std::numeric_limits<double>::infinity();
    CHECK(sparkline(std::vector{0.0, nan, 1.0, infinity}, 40, Glyphs::ascii) == "_x#x");
    CHECK(sparkline(std::vector{nan, nan}, 40, Glyphs::unicode) == "xx");
}

TEST_CASE("A longer curve is drawn by the last value of each stretch") {
    std::vector<double> values(100);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
    const std::string line = sparkline(values, 10, Glyphs::ascii);
    CHECK(line.size() == 10);
    CHECK(line.back() == '#');
    CHECK(sparkline(values, 1, Glyphs::ascii) == "#");
}

}  // namespace
}  // namespace lockstep::reports
