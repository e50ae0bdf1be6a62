#pragma once

// Muon's rule in double, by plain loops over whole matrices in Keras' order: docs/muon.md.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "trainer/config/train_config.hpp"

namespace lockstep::tests {

struct Matrix {
    std::size_t rows = 0, columns = 0;
    std::vector<double> values;

    Matrix(std::size_t rows_, std::size_t columns_)
        : rows(rows_), columns(columns_), values(rows_ * columns_) {}
    double& at(std::size_t row, std::size_t column) { return values[row * columns + column]; }
    double at(std::size_t row, std::size_t column) const { return values[row * columns + column]; }
};

inline Matrix transposed(const Matrix& m) {
    Matrix result(m.columns, m.rows);
    for (std::size_t i = 0; i < m.rows; ++i)
        for (std::size_t j = 0; j < m.columns; ++j) result.at(j, i) = m.at(i, j);
    return result;
}

inline Matrix product(const Matrix& a, const Matrix& b) {
    Matrix result(a.rows, b.columns);
    for (std::size_t i = 0; i < a.rows; ++i)
        for (std::size_t k = 0; k < a.columns; ++k)
            for (std::size_t j = 0; j < b.columns; ++j) result.at(i, j) += a.at(i, k) * b.at(k, j);
    return result;
}

inline Matrix sum(double p, const Matrix& a, double q, const Matrix& b) {
    Matrix result(a.rows, a.columns);
    for (std::size_t i = 0; i < a.values.size(); ++i)
        result.values[i] = p * a.values[i] + q * b.values[i];
    return result;
}

inline double norm(const Matrix& m) {
    double squares = 0.0;
    for (const double value : m.values) squares += value * value;
    return std::sqrt(squares);
}

// As Keras has it: X X' on the side where it is small.
inline Matrix plain_newton_schulz(const trainer::MuonConfig& config, Matrix x) {
    const bool is_high = x.rows > x.columns;
    if (is_high) x = transposed(x);
    x = sum(1.0 / (norm(x) + 1e-7), x, 0.0, x);
    for (int step = 0; step < config.ns_steps; ++step) {
        const Matrix a = product(x, transposed(x));
        const Matrix b = sum(config.muon_b, a, config.muon_c, product(a, a));
        x = sum(config.muon_a, x, 1.0, product(b, x));
    }
    return is_high ? transposed(x) : x;
}

// A matrix with its momentum.
struct PlainMuon {
    Matrix w, m;

    explicit PlainMuon(const Matrix& weights) : w(weights), m(weights.rows, weights.columns) {}
    void update(const trainer::MuonConfig& config, const Matrix& g, double rate, double decay) {
        m = sum(config.momentum, m, 1.0, g);
        const Matrix direction = config.nesterov ? sum(1.0, g, config.momentum, m) : m;
        const double larger = static_cast<double>(std::max(w.rows, w.columns));
        const double scale = config.rms_rate ? std::sqrt(larger) * *config.rms_rate : 1.0;
        w = sum(1.0 - rate * decay, w, -rate * scale, plain_newton_schulz(config, direction));
    }
};

}  // namespace lockstep::tests
