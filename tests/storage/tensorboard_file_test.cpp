#include "storage/exports/tensorboard_file.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "storage/files/utc_time.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/protobuf_reader.hpp"

namespace lockstep::storage {
namespace {

using tests::ProtobufReader;

std::uint64_t little_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
        value = value << 8U | static_cast<unsigned char>(bytes[i]);
    }
    return value;
}

// A reader of event files. The sums are checked by undoing TensorFlow's mask as its own reader
// does.
std::vector<ProtobufReader> events_of(std::string_view file) {
    const auto unmasked = [](std::uint32_t sum) { return std::rotl(sum - 0xa282ead8U, 15); };
    const auto is_sum_of = [&](std::string_view sum, std::string_view bytes) {
        return unmasked(static_cast<std::uint32_t>(little_endian(sum))) == crc32c(bytes);
    };
    std::vector<ProtobufReader> events;
    while (!file.empty()) {
        REQUIRE(file.size() >= 16);
        CHECK(is_sum_of(file.substr(8, 4), file.substr(0, 8)));
        const auto length = static_cast<std::size_t>(little_endian(file.substr(0, 8)));
        REQUIRE(file.size() >= 16 + length);
        const std::string_view data = file.substr(12, length);
        CHECK(is_sum_of(file.substr(12 + length, 4), data));
        events.emplace_back(data);
        file.remove_prefix(16 + length);
    }
    return events;
}

float value_of(const ProtobufReader& event) {
    const ProtobufReader value = event.message(5).message(1);
    return std::bit_cast<float>(static_cast<std::uint32_t>(value.all(2).at(0).value));
}

}  // namespace

TEST_CASE("crc32c: the check values of RFC 3720 and of the CRC catalogue", "[storage]") {
    CHECK(crc32c("") == 0);
    CHECK(crc32c("123456789") == 0xe3069283);
    CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
    CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
    std::string rising;
    for (char byte = 0; byte < 32; ++byte) rising += byte;
    CHECK(crc32c(rising) == 0x46dd794e);
}

TEST_CASE("tensorboard: a file reads back, record by record", "[storage]") {
    const std::vector<ScalarEvent> scalars{
        {"epoch_loss", 0, 1772366400.25, 0.5F},
        {"epoch_accuracy", 300, 1772366401.0, std::numeric_limits<float>::quiet_NaN()}};
    const std::vector<ProtobufReader> events = events_of(tensorboard_file_bytes(1.5, scalars));
    REQUIRE(events.size() == 3);
    CHECK(events[0].text(3) == "brain.Event:2");
    CHECK(std::bit_cast<double>(events[0].all(1).at(0).value) == 1.5);
    CHECK(events[1].message(5).message(1).text(1) == "epoch_loss");
    CHECK(value_of(events[1]) == 0.5F);
    CHECK(std::bit_cast<double>(events[1].all(1).at(0).value) == 1772366400.25);
    CHECK(events[2].integer(2) == 300);
    CHECK(std::isnan(value_of(events[2])));
    CHECK(events_of(tensorboard_file_bytes(0.0, std::vector<ScalarEvent>{})).size() == 1);
}

TEST_CASE("utc: texts and seconds since 1970 are each other's inverse", "[storage]") {
    CHECK(unix_seconds("1970-01-01T00:00:00.000Z") == 0.0);
    CHECK(unix_seconds("2026-03-01T12:00:00.250Z") == 1772366400.25);  // date -u -d ... +%s
    CHECK(unix_seconds("2000-02-29T23:59:59.999Z") == Approx(951868799.999).epsilon(1e-12));
    for (const char* text :
         {"", "2026-03-01", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00.250Z ", "yesterday"}) {
        CAPTURE(text);
        CHECK_FALSE(unix_seconds(text).has_value());
    }
}

}  // namespace lockstep::storage
