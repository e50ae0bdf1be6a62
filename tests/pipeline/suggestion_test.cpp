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

TEST_CASE("an abbreviation finds the shortest word that it may stand for", "[suggestion]") {
    constexpr std::array<std::string_view, 6> known{"max_pooling2d",       "average_pooling2d",
                                                    "batch_normalization", "val_loss",
                                                    "val_accuracy",        "accuracy"};
    CHECK(suggestion("maxpool2d", known) == "max_pooling2d");
    CHECK(suggestion("avgpool", known) == "average_pooling2d");
    CHECK(suggestion("BatchNorm", known) == "batch_normalization");
    CHECK(suggestion("val_acc", known) == "val_accuracy");
    CHECK(suggestion("acc", known) == "accuracy");
    CHECK_FALSE(suggestion("va", known));
    CHECK_FALSE(suggestion("pool", known));  // begins with another letter
}

TEST_CASE("a word that resembles none finds none", "[suggestion]") {
    CHECK_FALSE(suggestion("learning_rate", kKnown));
    CHECK_FALSE(suggestion("", kKnown));
    CHECK_FALSE(suggestion("x", kKnown));
    CHECK_FALSE(suggestion(std::string(100'000, 'e'), kKnown));
    CHECK(did_you_mean("zzz", kKnown).empty());
}

TEST_CASE("suggestion: other programs' words", "[suggestion]") {
    constexpr std::array<std::string_view, 4> known{"learning_rate", "silu", "selu", "train"};
    CHECK(suggestion("lr", known) == "learning_rate");
    CHECK(suggestion("swish", known) == "silu");
    CHECK(suggestion("training", known) == "train");
    CHECK_FALSE(suggestion("bs", known).has_value());  // batch_size is not known there
}
