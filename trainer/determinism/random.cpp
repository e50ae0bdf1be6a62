#include "trainer/determinism/random.hpp"

#include <Random123/philox.h>

#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace lockstep::trainer {

RandomKey random_key(std::uint64_t seed, Purpose purpose) {
    // Odd, so that different purposes of one seed never share a key.
    constexpr std::uint32_t kGoldenRatio = 0x9E3779B9;
    return {static_cast<std::uint32_t>(seed),
            static_cast<std::uint32_t>(seed >> 32) ^
                static_cast<std::uint32_t>(purpose) * kGoldenRatio};
}

RandomWords random_words(RandomKey key, RandomWords counter) {
    const philox4x32_ctr_t words = philox4x32_R(
        10, {{counter[0], counter[1], counter[2], counter[3]}}, {{key.seed_low, key.seed_high}});
    return {words.v[0], words.v[1], words.v[2], words.v[3]};
}

float uniform_float(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24F; }

double uniform_double(std::uint32_t high, std::uint32_t low) {
    const std::uint64_t bits = std::uint64_t{high} << 32 | low;
    return static_cast<double>(bits >> 11) * 0x1p-53;
}

std::uint32_t uniform_below(std::uint32_t bound, std::uint32_t high, std::uint32_t low) {
    // floor((high x 2^32 + low) x bound / 2^64), in 64 bits; the sum cannot overflow.
    const std::uint64_t carry = std::uint64_t{low} * bound >> 32;
    return static_cast<std::uint32_t>((std::uint64_t{high} * bound + carry) >> 32);
}

void draw_to_front(std::vector<std::size_t>& members, std::size_t count, std::uint32_t stream,
                   RandomKey key) {
    for (std::size_t i = 0; i < count; ++i) {
        const RandomWords words = random_words(key, {stream, static_cast<std::uint32_t>(i), 0, 0});
        const auto left = static_cast<std::uint32_t>(members.size() - i);
        std::swap(members[i], members[i + uniform_below(left, words[0], words[1])]);
    }
}

std::vector<std::uint32_t> epoch_order(std::uint64_t seed, int epoch, std::int64_t count) {
    if (count < 0 || count > std::numeric_limits<std::uint32_t>::max())
        throw std::invalid_argument("epoch_order: count must be in 0..2^32-1");
    const RandomKey key = random_key(seed, Purpose::sample_order);
    std::vector<std::uint32_t> order(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), 0U);
    for (auto left = static_cast<std::uint32_t>(count); left > 1; --left) {
        const std::uint32_t last = left - 1;
        const RandomWords words =
            random_words(key, {static_cast<std::uint32_t>(epoch), last, 0, 0});
        std::swap(order[last], order[uniform_below(left, words[0], words[1])]);
    }
    return order;
}

}  // namespace lockstep::trainer
