#pragma once

// Random numbers without state: a number is a pure function of what it is for and where it stands.
//
// Philox4x32-10 [1], keyed by (seed, purpose) and counted by four 32-bit words whose meaning
// belongs to the purpose. So no rank, thread or resume can change what is drawn.
//
// [1] J. Salmon, M. Moraes, R. Dror, D. Shaw: Parallel random numbers: as easy as 1, 2, 3. SC 2011.
//     doi:10.1145/2063384.2063405

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep::trainer {

enum class Purpose : std::uint32_t {
    sample_order = 1,     // counter: epoch, position
    initial_weights = 2,  // counter: layer, tensor, element / 2
    dropout = 3,          // counter: step low, step high ^ layer << 16, sample, group of positions
    validation_split = 4,
    synthetic_image = 5,
    augmentation = 6,  // counter: epoch (0: whatever the epoch), number in the data set, change
    test_split = 7,    // counter: label, place
};

struct RandomKey {
    std::uint32_t seed_low;
    std::uint32_t seed_high;  // mixed with the purpose
};
RandomKey random_key(std::uint64_t seed, Purpose purpose);

using RandomWords = std::array<std::uint32_t, 4>;
// The four words at one counter.
RandomWords random_words(RandomKey key, RandomWords counter);

// A uniform number in [0, 1) from the upper 24 bits of a word; in double, of 53 bits, from two.
float uniform_float(std::uint32_t word);
double uniform_double(std::uint32_t high, std::uint32_t low);

// A uniform whole number in [0, bound) from the 64 bits of two words, by multiply and shift: each
// number's probability is 1 / bound to within 2^-64. bound >= 1.
std::uint32_t uniform_below(std::uint32_t bound, std::uint32_t high, std::uint32_t low);

// Moves `count` of the members, drawn without replacement, to the front: the first steps of
// Fisher-Yates, counted by (stream, place).
void draw_to_front(std::vector<std::size_t>& members, std::size_t count, std::uint32_t stream,
                   RandomKey key);

// The numbers 0..count-1 in an order that is a pure function of (seed, epoch) (Fisher-Yates).
// Each of its choices is unbiased to within 2^-64. count in 0..2^32-1, else std::invalid_argument.
std::vector<std::uint32_t> epoch_order(std::uint64_t seed, int epoch, std::int64_t count);

}  // namespace lockstep::trainer
