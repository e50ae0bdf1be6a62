#pragma once

// The iteration of Newton and Schulz that makes a matrix nearly orthogonal: the singular vectors
// stay, each singular value s becomes p(...p(s / |Y|)), p(s) = a s + b s^3 + c s^5.
//
//   Y = Y / (|Y| + 1e-7)                            |Y|: the Frobenius norm
//   each step  A = Y' Y;  B = b A + c A A;  Y = a Y + Y B
//
// By the kernels of dense layers, in one thread: the bits are functions of the matrix alone.
// Cost: 2 rows columns^2 + columns^3 multiply-adds a step.

#include <cstddef>
#include <span>

#include "trainer/config/train_config.hpp"
#include "trainer/kernels/aligned_array.hpp"
#include "trainer/kernels/dense/dense_kernel.hpp"

namespace lockstep::trainer {

// At least as high as wide; both at least 1.
struct MatrixSize {
    std::size_t rows = 0, columns = 0;
};

class NewtonSchulz {
public:
    // Allocates all that a matrix of any of these sizes needs.
    NewtonSchulz(const MuonConfig& config, std::span<const MatrixSize> sizes);

    // [rows, columns], row by row: to be written, and read behind orthogonalize().
    std::span<float> matrix(const MatrixSize& size) {
        return matrix_.span().first(size.rows * size.columns);
    }
    void orthogonalize(const MatrixSize& size);

private:
    void make_gram(const DenseKernel& kernel, const MatrixSize& size);
    void make_polynomial(const DenseKernel& kernel, const MatrixSize& size);
    void step(const DenseKernel& kernel, const MatrixSize& size);

    int steps_;
    float a_, b_, c_;
    // Y [rows][columns]; padded, as a factor of a weight gradient; Y B.
    AlignedArray<float> matrix_, padded_, product_;
    // A and B as the weights of a layer lie; A, and A A, [columns][columns].
    AlignedArray<float> gram_panels_, polynomial_, gram_, gram_square_;
    AlignedArray<float> no_bias_;  // [columns], zeros
};

}  // namespace lockstep::trainer
