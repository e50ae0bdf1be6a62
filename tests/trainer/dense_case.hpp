#pragma once

// One dense layer with everything that its kernels read and write, for their tests.

#include <hwy/targets.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "tests/trainer/every_target.hpp"
#include "tests/trainer/random_array.hpp"
#include "trainer/kernels/aligned_array.hpp"
#include "trainer/kernels/dense/dense_kernel.hpp"

namespace lockstep::tests {

inline std::size_t size(int value) { return static_cast<std::size_t>(value); }

inline bool same_bits(std::span<const float> a, std::span<const float> b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

// Random src, weights, bias and diff_dst; samples of one seed begin alike, however many there are.
struct DenseCase {
    trainer::DenseKernel kernel;
    int samples;
    trainer::AlignedArray<float> src, keras, weights, bias, diff_dst, diff;  // keras: [in][out]
    trainer::AlignedArray<float> dst, diff_src, diff_weights, diff_bias;

    DenseCase(int features, int units, int n)
        : kernel(features, units),
          samples(n),
          src(random_array(size(n) * size(features), 1)),
          keras(random_array(size(features) * size(units), 2)),
          weights(kernel.panels().weight_floats()),
          bias(random_array(size(units), 3)),
          diff_dst(random_array(size(n) * size(units), 4)),
          diff(size(n) * kernel.panels().diff_step()),
          dst(diff_dst.size()),
          diff_src(src.size()),
          diff_weights(weights.size()),
          diff_bias(bias.size()) {
        for (int f = 0; f < features; ++f)
            for (int u = 0; u < units; ++u)
                weights[kernel.panels().place(f, u)] = keras[size(f) * size(units) + size(u)];
    }

    const trainer::DensePanels& panels() const { return kernel.panels(); }
    trainer::DenseFactors factors() const { return {.src = src.data(), .diff = diff.data()}; }

    // What was in the results and the scratch memory before must not matter.
    void compute(bool has_relu = false) {
        trainer::AlignedArray<float> scratch(kernel.scratch_floats());
        for (auto* array : {&scratch, &diff, &dst, &diff_src, &diff_weights, &diff_bias})
            std::ranges::fill(array->span(), std::nanf(""));
        kernel.forward(src.data(), weights.data(), bias.data(), has_relu, dst.data(), samples);
        kernel.gather_diff(diff_dst.data(), has_relu ? dst.data() : nullptr, diff.data(), samples);
        kernel.backward_data(diff.data(), weights.data(), diff_src.data(), samples, scratch.data());
        kernel.backward_weights(factors(), samples, diff_weights.data(), diff_bias.data());
    }
};

}  // namespace lockstep::tests
