// What a child process reads and tells.

#include "trainer/data/reading_child.hpp"

#include <csignal>
#include <cstdint>
#include <functional>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/trainer/refusal.hpp"
#include "trainer/config/errors.hpp"

using namespace lockstep::trainer;
using lockstep::tests::refusal_by;

namespace {

using Bytes = std::vector<std::uint8_t>;
using Tell = ReadingChild::Tell;

}  // namespace

TEST_CASE("a reading child: its pieces come in order, and its end", "[reading_child]") {
    ReadingChild child("set.h5", [](const Tell& tell) {
        tell(Bytes{1, 2, 3});
        tell(Bytes{});
        tell(Bytes(300'000, 7));  // more than a pipe holds
    });
    CHECK(child.next() == Bytes{1, 2, 3});
    CHECK(child.next() == Bytes{});
    CHECK(child.next() == Bytes(300'000, 7));
    CHECK(child.next() == std::nullopt);
}

TEST_CASE("a reading child: what it throws is thrown here", "[reading_child]") {
    const auto thrown_by = [](const std::function<void(const Tell&)>& read) {
        return refusal_by([&read] {
            ReadingChild child("set.h5", read);
            while (child.next()) {
            }
        });
    };
    const auto missing = thrown_by([](const Tell& tell) {
        tell(Bytes{1});
        throw DataError(DataError::Kind::missing, "there is none");
    });
    CHECK(missing.kind == DataError::Kind::missing);
    CHECK(missing.message == "there is none");
    const auto other = thrown_by([](const Tell&) { throw std::runtime_error("odd"); });
    CHECK(other.kind == DataError::Kind::damaged);
    CHECK(other.message == "set.h5: it is damaged (odd)");
    ReadingChild poor("set.h5", [](const Tell&) { throw std::bad_alloc(); });
    CHECK_THROWS_AS(poor.next(), std::bad_alloc);
}

TEST_CASE("a reading child: a signal that ends it is damage, of the file", "[reading_child]") {
    for (const int signal : {SIGSEGV, SIGABRT}) {
        ReadingChild child("set.h5", [signal](const Tell& tell) {
            tell(Bytes{1});
            std::raise(signal);
        });
        CHECK(child.next() == Bytes{1});
        const auto refusal = refusal_by([&child] { child.next(); });
        CHECK(refusal.kind == DataError::Kind::damaged);
        CHECK(refusal.says("ends its library (signal " + std::to_string(signal) + ")"));
    }
}

TEST_CASE("a reading child: it ends with whoever reads no more", "[reading_child]") {
    // Were it waited for, this would never end.
    const ReadingChild child("set.h5", [](const Tell& tell) {
        for (;;) tell(Bytes(1000, 1));
    });
}
