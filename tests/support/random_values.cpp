#include "tests/support/random_values.hpp"

namespace lockstep::tests {

std::uint64_t splitmix64(std::uint64_t counter) {
    std::uint64_t z = (counter + 1) * 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

double RandomValues::uniform(double low, double high) {
    const double unit = static_cast<double>(splitmix64(counter_++) >> 11) * 0x1p-53;
    return low + (high - low) * unit;
}

std::vector<float> RandomValues::floats(std::size_t count, double low, double high) {
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(uniform(low, high));
    return values;
}

std::uint32_t RandomValues::below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(splitmix64(counter_++) % bound);
}

}  // namespace lockstep::tests
