#include "trainer/determinism/random.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "trainer/determinism/digest.hpp"

namespace {

using namespace lockstep::trainer;

std::vector<std::uint32_t> ascending(std::size_t count) {
    std::vector<std::uint32_t> numbers(count);
    std::iota(numbers.begin(), numbers.end(), 0U);
    return numbers;
}

// Pearson's statistic against equal expected counts.
double chi_square(const std::vector<int>& counts) {
    const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
    const double expected = total / static_cast<double>(counts.size());
    double sum = 0.0;
    for (const int count : counts) sum += (count - expected) * (count - expected) / expected;
    return sum;
}

}  // namespace

TEST_CASE("random words are Philox4x32-10: Random123's known answers", "[random]") {
    // Random123 1.14, tests/kat_vectors
    CHECK(random_words({0, 0}, {0, 0, 0, 0}) ==
          RandomWords{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    CHECK(
        random_words({0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}) ==
        RandomWords{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(
        random_words({0xa4093822, 0x299f31d0}, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}) ==
        RandomWords{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("each purpose and each half of the seed has a key of its own", "[random]") {
    const auto words = [](std::uint64_t seed, Purpose purpose) {
        return random_words(random_key(seed, purpose), {0, 0, 0, 0});
    };
    const RandomWords base = words(1, Purpose::dropout);
    CHECK(words(1, Purpose::dropout) == base);
    CHECK(words(1, Purpose::initial_weights) != base);
    CHECK(words(2, Purpose::dropout) != base);
    CHECK(words(1 + (std::uint64_t{1} << 32), Purpose::dropout) != base);
}

TEST_CASE("uniform numbers lie in [0, 1), at exact fractions", "[random]") {
    CHECK(uniform_float(0) == 0.0F);
    CHECK(uniform_float(0x80000000) == 0.5F);
    CHECK(uniform_float(0xff) == 0.0F);  // the lower 8 bits do not count
    CHECK(uniform_float(0xffffffff) == 1.0F - 0x1p-24F);
    CHECK(uniform_double(0, 0) == 0.0);
    CHECK(uniform_double(0x80000000, 0) == 0.5);
    CHECK(uniform_double(0, 1U << 11) == 0x1p-53);
    CHECK(uniform_double(0xffffffff, 0xffffffff) == 1.0 - 0x1p-53);
}

TEST_CASE("uniform_below scales 64 bits down to the bound", "[random]") {
    constexpr std::uint32_t kMost = 0xffffffff;
    CHECK(uniform_below(1, kMost, kMost) == 0);
    CHECK(uniform_below(10, 0, 0) == 0);
    CHECK(uniform_below(10, kMost, kMost) == 9);
    CHECK(uniform_below(kMost, kMost, kMost) == kMost - 1);
    // 1/3 of 2^64 is 0x5555555555555555.55...: the first number of the second third follows it
    CHECK(uniform_below(3, 0x55555555, 0x55555555) == 0);
    CHECK(uniform_below(3, 0x55555555, 0x55555556) == 1);
}

TEST_CASE("an epoch's order is a permutation", "[random]") {
    for (const std::int64_t count : {0, 1, 2, 3, 1000, 50000}) {
        std::vector<std::uint32_t> order = epoch_order(7, 3, count);
        std::sort(order.begin(), order.end());
        CHECK(order == ascending(static_cast<std::size_t>(count)));
    }
}

TEST_CASE("an epoch's order is a pure function of seed and epoch", "[random]") {
    const auto order = epoch_order(1, 1, 1000);
    CHECK(epoch_order(1, 1, 1000) == order);
    CHECK(epoch_order(1, 2, 1000) != order);
    CHECK(epoch_order(2, 1, 1000) != order);
    CHECK(order != ascending(1000));
}

TEST_CASE("an epoch's order follows Fisher-Yates over Philox, step by step", "[random]") {
    // The same walk in 80-bit arithmetic, which holds a 64-bit fraction exactly enough here.
    constexpr std::uint32_t kCount = 100;
    std::vector<std::uint32_t> expected = ascending(kCount);
    for (std::uint32_t last = kCount - 1; last > 0; --last) {
        const RandomWords words =
            random_words(random_key(5, Purpose::sample_order), {2, last, 0, 0});
        const long double fraction = (words[0] + words[1] * 0x1p-32L) * 0x1p-32L;
        const auto chosen = static_cast<std::uint32_t>(std::floor(fraction * (last + 1)));
        std::swap(expected[last], expected[chosen]);
    }
    CHECK(epoch_order(5, 2, kCount) == expected);
}

TEST_CASE("every order is equally likely", "[random]") {
    constexpr int kEpochs = 24000;
    std::vector<std::uint32_t> order = {0, 1, 2, 3};
    std::vector<std::vector<std::uint32_t>> orders;
    do orders.push_back(order);
    while (std::next_permutation(order.begin(), order.end()));
    std::vector<int> counts(orders.size());
    for (int epoch = 1; epoch <= kEpochs; ++epoch) {
        const auto drawn = epoch_order(1, epoch, 4);
        ++counts[static_cast<std::size_t>(std::lower_bound(orders.begin(), orders.end(), drawn) -
                                          orders.begin())];
    }
    CHECK(chi_square(counts) < 49.7);  // 23 degrees of freedom, 0.999 quantile
}

TEST_CASE("a sample's place in a long order is uniform", "[random]") {
    std::vector<int> counts(20);
    for (int epoch = 1; epoch <= 4000; ++epoch) ++counts[epoch_order(3, epoch, 200)[17] / 10];
    CHECK(chi_square(counts) < 43.8);  // 19 degrees of freedom, 0.999 quantile
}

TEST_CASE("epoch_order refuses counts that 32 bits do not hold", "[random]") {
    CHECK_THROWS_AS(epoch_order(1, 1, -1), std::invalid_argument);
    CHECK_THROWS_AS(epoch_order(1, 1, std::int64_t{1} << 32), std::invalid_argument);
}

TEST_CASE("SHA-256 of FIPS 180-4's examples, whole and in pieces", "[digest]") {
    constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    CHECK(sha256_hex("abc") == kAbc);
    CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    Sha256 pieces;
    for (const char letter : {'a', 'b', 'c'}) pieces.update(std::as_bytes(std::span(&letter, 1)));
    CHECK(pieces.hex() == kAbc);
    CHECK(pieces.hex() == kAbc);  // asking does not end it
}
