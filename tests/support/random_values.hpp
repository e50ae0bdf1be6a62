#pragma once

// Numbers for tests, from a generator of their own: SplitMix64 [1] at counters 0, 1, 2, ...
//
// [1] G. Steele, D. Lea, C. Flood: Fast splittable pseudorandom number generators. OOPSLA 2014.
//     doi:10.1145/2660193.2660195

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep::tests {

// The value of SplitMix64 at a counter.
std::uint64_t splitmix64(std::uint64_t counter);

class RandomValues {
public:
    explicit RandomValues(std::uint64_t seed) : counter_(seed << 40) {}

    double uniform(double low, double high);
    std::vector<float> floats(std::size_t count, double low = -1.0, double high = 1.0);
    std::uint32_t below(std::uint32_t bound);

private:
    std::uint64_t counter_;
};

}  // namespace lockstep::tests
