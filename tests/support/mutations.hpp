#pragma once

// Files that went wrong, by chance and always the same: a file with bits flipped, pieces cut,
// repeated or replaced, and counts and lengths that are as large as they can be.

#include <cstdint>
#include <string>

#include "tests/support/random_values.hpp"

namespace lockstep::tests {

class Mutations {
public:
    // `original` is not empty.
    Mutations(std::string original, std::uint64_t seed)
        : original_(std::move(original)), random_(seed) {}

    // The next one: the original after one to three changes.
    std::string next();

private:
    std::size_t place_in(const std::string& content);
    void change(std::string& content);

    std::string original_;
    RandomValues random_;
};

// How many changed files a reader was given, and how many of them it took.
struct Readings {
    int given = 0;
    int taken = 0;
};

// Gives `original`, which has to be taken, and then `count` mutations of it to `read`, which throws
// `Refusal` for what it does not take. Any other exception leaves; a crash ends the test.
template <typename Refusal, typename Read>
Readings read_mutations(const std::string& original, int count, std::uint64_t seed, Read read) {
    read(original);
    Mutations mutations(original, seed);
    Readings readings;
    for (; readings.given < count; ++readings.given) {
        try {
            read(mutations.next());
            ++readings.taken;
        } catch (const Refusal&) {
        }
    }
    return readings;
}

}  // namespace lockstep::tests
