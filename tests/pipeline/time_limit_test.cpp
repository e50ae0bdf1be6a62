#include "pipeline/ranks/time_limit.hpp"

#include <chrono>
#include <optional>
#include <string_view>

#include "tests/support/catch.hpp"

using lockstep::pipeline::parse_duration;
using std::chrono::seconds;

TEST_CASE("durations: a number with its unit, or as Slurm writes them", "[pipeline]") {
    CHECK(parse_duration("1s") == seconds(1));
    CHECK(parse_duration("90s") == seconds(90));
    CHECK(parse_duration("30m") == seconds(1800));
    CHECK(parse_duration("4h") == seconds(14400));
    CHECK(parse_duration("2d") == seconds(172800));
    CHECK(parse_duration("04:00:00") == seconds(14400));
    CHECK(parse_duration("0:01:30") == seconds(90));
    CHECK(parse_duration("1-12:00:00") == seconds(129600));
}

TEST_CASE("durations: what could mean two things, or nothing, is none", "[pipeline]") {
    for (const std::string_view text :
         {"", "90", "s", "0s", "00:00:00", "-5m", "1.5h", "4 h", "4hours", "12:30", "1:2:3:4",
          "::", "1-", "99999999999999999999h", "9223372036854775807s", "h4", "1-2h"}) {
        CAPTURE(text);
        CHECK(parse_duration(text) == std::nullopt);
    }
}
