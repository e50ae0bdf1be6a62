#pragma once

#include <algorithm>
#include <vector>

#include "tests/support/random_values.hpp"
#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::tests {

inline trainer::AlignedArray<float> random_array(std::size_t count, std::uint64_t seed) {
    trainer::AlignedArray<float> array(count);
    const std::vector<float> values = RandomValues(seed).floats(count);
    std::copy(values.begin(), values.end(), array.data());
    return array;
}

}  // namespace lockstep::tests
