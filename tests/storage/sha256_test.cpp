#include "storage/files/sha256.hpp"

#include <chrono>
#include <string>

#include "storage/files/utc_time.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::storage {

// FIPS 180-4 examples, as NIST publishes them.
TEST_CASE("sha256: the digests of NIST's examples", "[storage]") {
    CHECK(sha256_hex(std::string_view()) ==
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_hex(std::string_view("abc")) ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha256_hex(std::string(1'000'000, 'a')) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("utc_text: fixed width, milliseconds, the calendar's edges", "[storage]") {
    using std::chrono::milliseconds;
    using Time = std::chrono::system_clock::time_point;
    CHECK(utc_text(Time(milliseconds(0))) == "1970-01-01T00:00:00.000Z");
    CHECK(utc_text(Time(milliseconds(951'782'400'007))) == "2000-02-29T00:00:00.007Z");
    CHECK(utc_text(Time(milliseconds(-1))) == "1969-12-31T23:59:59.999Z");
}

}  // namespace lockstep::storage
