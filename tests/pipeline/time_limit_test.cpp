#include "pipeline/ranks/time_limit.hpp"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "tests/support/catch.hpp"

using lockstep::pipeline::parse_duration;
using lockstep::pipeline::stop_in_time;
using std::chrono::seconds;

namespace {

// What the ranks are told, in seconds since 1970; 0: nothing.
std::int64_t stop_at() {
    const char* text = std::getenv("LOCKSTEP_STOP_AT");
    return text == nullptr ? 0 : std::stoll(text);
}

struct NoLimit {
    NoLimit() { forget(); }
    ~NoLimit() { forget(); }
    NoLimit(const NoLimit&) = delete;
    NoLimit& operator=(const NoLimit&) = delete;
    static void forget() {
        ::unsetenv("LOCKSTEP_STOP_AT");
        ::unsetenv("SLURM_JOB_END_TIME");
    }
};

}  // namespace

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

// A day ahead, so that nothing of it comes to pass here.
TEST_CASE("a time limit: Slurm's end of the job, less a minute", "[pipeline]") {
    const NoLimit none;
    const std::int64_t end = std::time(nullptr) + 86400;
    ::setenv("SLURM_JOB_END_TIME", std::to_string(end).c_str(), 1);
    stop_in_time({});
    CHECK(stop_at() == end - 60);
}

TEST_CASE("a time limit: the user's goes before Slurm's, and counts from the job's start",
          "[pipeline]") {
    const NoLimit none;
    const std::int64_t begin = std::time(nullptr);
    ::setenv("SLURM_JOB_END_TIME", std::to_string(begin + 86400).c_str(), 1);
    stop_in_time(seconds(2 * 86400));
    const std::int64_t told = stop_at();
    CHECK(told >= begin + 2 * 86400 - 60);
    CHECK(told <= std::time(nullptr) + 2 * 86400 - 60);
    stop_in_time(seconds(3 * 86400));  // of a further attempt, or of a rank
    CHECK(stop_at() == told);
}

TEST_CASE("a time limit: none is told where none is known", "[pipeline]") {
    const NoLimit none;
    for (const char* odd : {"", "soon", "-5", "99999999999999999999"}) {
        ::setenv("SLURM_JOB_END_TIME", odd, 1);
        stop_in_time({});
        CHECK(stop_at() == 0);
    }
}
