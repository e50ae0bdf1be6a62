#pragma once

// Eigenvalues and eigenvectors of a symmetric matrix, by Jacobi's rotations in cyclic order [1].
//
// Additions, products, quotients and square roots of doubles in a fixed order: the same bits on
// every machine. n^3 operations a sweep, and fewer than ten sweeps.
//
// [1] G. Golub, C. Van Loan: Matrix computations. 4th edition, 2013, section 8.5.

#include <cstddef>
#include <vector>

namespace lockstep::trainer {

struct SymmetricEigen {
    std::vector<double> values;   // [n], descending
    std::vector<double> vectors;  // [n][n]: row i is that of values[i], of length 1, its component
                                  // of the largest magnitude positive (the first of several)
};

//   matrix   [n][n], symmetric, finite
SymmetricEigen symmetric_eigen(std::vector<double> matrix, std::size_t n);

}  // namespace lockstep::trainer
