#include "pipeline/settings/suggestion.hpp"

#include <array>
#include <string>

#include "tests/support/catch.hpp"

using lockstep::pipeline::did_you_mean;
using lockstep::pipeline::suggestion;

namespace {
constexpr std::array<std::string_view, 5> kKnown{"epochs", "batch_size", "seed", "seeds", "rho"};
}

TEST_CASE("a misspelt word finds the known one", "[suggestion]") {
    CHECK(suggestion("epoch", kKnown) == "epochs");   // a letter missing
    CHECK(suggestion("epohcs", kKnown) == "epochs");  // two swapped
    CHECK(suggestion("batchsize", kKnown) == "batch_size");
    CHECK(suggestion("Batch_Size", kKnown) == "batch_size");
    CHECK(suggestion("sed", kKnown) == "seed");  // nearer than seeds
    CHECK(did_you_mean("epoch", kKnown) == "; did you mean \"epochs\"?");
}

TEST_CASE("a word that resembles none finds none", "[suggestion]") {
    CHECK_FALSE(suggestion("learning_rate", kKnown));
    CHECK_FALSE(suggestion("", kKnown));
    CHECK_FALSE(suggestion("x", kKnown));
    CHECK_FALSE(suggestion(std::string(100'000, 'e'), kKnown));
    CHECK(did_you_mean("zzz", kKnown).empty());
}
