#pragma once

// Orthonormal columns from any of full rank, by Gram and Schmidt in the modified order [1]: the Q
// of a QR factorization whose R has a positive diagonal, as a sign correction makes it. Of random
// normal columns it is uniform among all such matrices [2].
//
// Off by the condition number times 1e-16, far below a float's rounding for what random matrices
// have.
//
// [1] A. Bjorck: Solving linear least squares problems by Gram-Schmidt orthogonalization. BIT 7,
//     1967. doi:10.1007/BF01934122
// [2] F. Mezzadri: How to generate random matrices from the classical compact groups. Notices of
//     the AMS 54(5), 2007. arXiv:math-ph/0609050

#include <cstddef>
#include <span>

namespace lockstep::trainer {

//   columns   [columns][rows], in place; rows >= columns
void make_orthonormal(std::span<double> columns, std::size_t rows);

}  // namespace lockstep::trainer
