#include "trainer/parameters/symmetric_eigen.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lockstep::trainer {

namespace {

constexpr int kMostSweeps = 60;  // never reached: convergence is quadratic

class Rotations {
public:
    Rotations(std::vector<double>& matrix, std::size_t n)
        : matrix_(matrix), n_(n), vectors_(n * n) {
        for (std::size_t i = 0; i < n; ++i) vectors_[i * n + i] = 1.0;
    }

    // Of what is left off the diagonal nothing shows in a double.
    bool is_done() const {
        double on = 0.0, off = 0.0;
        for (std::size_t i = 0; i < n_; ++i)
            for (std::size_t j = 0; j < n_; ++j)
                (i == j ? on : off) += matrix_[i * n_ + j] * matrix_[i * n_ + j];
        return off <= 1e-32 * on;
    }
    void sweep() {
        for (std::size_t p = 0; p < n_; ++p)
            for (std::size_t q = p + 1; q < n_; ++q)
                if (matrix_[p * n_ + q] != 0.0) rotate(p, q);
    }
    // Row i is the vector that belongs to the i-th value on the diagonal.
    const std::vector<double>& vectors() const { return vectors_; }

private:
    // Makes element (p, q) zero.
    void rotate(std::size_t p, std::size_t q) {
        const double theta = (matrix_[q * n_ + q] - matrix_[p * n_ + p]) / 2.0 / at(p, q);
        const double tangent =
            (theta < 0.0 ? -1.0 : 1.0) / (std::abs(theta) + std::sqrt(theta * theta + 1.0));
        const double cosine = 1.0 / std::sqrt(tangent * tangent + 1.0);
        const double sine = tangent * cosine;
        for (std::size_t k = 0; k < n_; ++k) turn(at(k, p), at(k, q), cosine, sine);
        for (std::size_t k = 0; k < n_; ++k) turn(at(p, k), at(q, k), cosine, sine);
        for (std::size_t k = 0; k < n_; ++k)
            turn(vectors_[p * n_ + k], vectors_[q * n_ + k], cosine, sine);
        at(p, q) = at(q, p) = 0.0;
    }
    static void turn(double& a, double& b, double cosine, double sine) {
        const double old = a;
        a = cosine * old - sine * b;
        b = sine * old + cosine * b;
    }
    double& at(std::size_t row, std::size_t column) { return matrix_[row * n_ + column]; }

    std::vector<double>& matrix_;
    std::size_t n_;
    std::vector<double> vectors_;
};

double sign_of(const double* vector, std::size_t n) {
    const double* largest = std::max_element(
        vector, vector + n, [](double a, double b) { return std::abs(a) < std::abs(b); });
    return *largest < 0.0 ? -1.0 : 1.0;
}

}  // namespace

SymmetricEigen symmetric_eigen(std::vector<double> matrix, std::size_t n) {
    Rotations rotations(matrix, n);
    for (int sweep = 0; sweep < kMostSweeps && !rotations.is_done(); ++sweep) rotations.sweep();
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(
        order, [&](std::size_t a, std::size_t b) { return matrix[a * n + a] > matrix[b * n + b]; });
    SymmetricEigen eigen;
    for (const std::size_t i : order) {
        const double* vector = rotations.vectors().data() + i * n;
        const double sign = sign_of(vector, n);
        eigen.values.push_back(matrix[i * n + i]);
        for (std::size_t k = 0; k < n; ++k) eigen.vectors.push_back(sign * vector[k]);
    }
    return eigen;
}

}  // namespace lockstep::trainer
