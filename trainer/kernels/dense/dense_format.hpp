#pragma once

// One dense layer on our own kernels: its shape and how its parameters lie in the arena.

#include <cstdint>
#include <memory>
#include <vector>

#include "trainer/kernels/dense/dense_kernel.hpp"
#include "trainer/kernels/layout.hpp"
#include "trainer/kernels/parameter_format.hpp"

namespace lockstep::trainer {

class DenseFormat {
public:
    // incoming: a flat layout; its padding takes part as features with weights that stay zero.
    DenseFormat(const Layout& incoming, int units, bool has_relu);

    const DenseKernel& kernel() const { return kernel_; }
    int features() const { return kernel_.panels().features; }  // of src, padding included
    int units() const { return kernel_.panels().units; }
    bool has_relu() const { return has_relu_; }
    std::unique_ptr<ParameterFormat> kernel_format() const;  // Keras' [features, units]
    std::unique_ptr<ParameterFormat> bias_format() const;    // [units], as they are

private:
    DenseKernel kernel_;
    bool has_relu_;
    std::vector<std::uint32_t> feature_positions_;
};

}  // namespace lockstep::trainer
