// The iteration of Newton and Schulz against what it does to singular values, and against plain
// loops in double.
#include "trainer/optimizers/newton_schulz.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "tests/trainer/plain_muon.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

const std::vector<MatrixSize> kSizes{{1, 1},   {7, 1},   {2, 2},    {7, 3},   {16, 16}, {17, 15},
                                     {33, 17}, {64, 31}, {100, 32}, {40, 33}, {300, 65}};

// Orthogonal vectors of unit length in the columns: the cosines of the discrete transform.
Matrix cosines(std::size_t length) {
    Matrix basis(length, length);
    const auto n = static_cast<double>(length);
    for (std::size_t i = 0; i < length; ++i)
        for (std::size_t k = 0; k < length; ++k)
            basis.at(i, k) = (k == 0 ? std::sqrt(1.0 / n) : std::sqrt(2.0 / n)) *
                             std::cos(std::numbers::pi * (static_cast<double>(i) + 0.5) *
                                      static_cast<double>(k) / n);
    return basis;
}

// U diag(values) V', with vectors as above.
Matrix with_singular_values(const MatrixSize& size, const std::vector<double>& values) {
    const Matrix u = cosines(size.rows), v = cosines(size.columns);
    Matrix matrix(size.rows, size.columns);
    for (std::size_t k = 0; k < size.columns; ++k)
        for (std::size_t i = 0; i < size.rows; ++i)
            for (std::size_t j = 0; j < size.columns; ++j)
                matrix.at(i, j) += values[k] * u.at(i, k) * v.at(j, k);
    return matrix;
}

// From 1 down to about 0.01, as those of a momentum may be.
std::vector<double> falling_values(std::size_t count) {
    std::vector<double> values;
    for (std::size_t k = 0; k < count; ++k)
        values.push_back(std::pow(0.01, static_cast<double>(k) / static_cast<double>(count)));
    return values;
}

std::vector<float> orthogonalized(NewtonSchulz& iteration, const MatrixSize& size,
                                  const Matrix& matrix) {
    const std::span<float> place = iteration.matrix(size);
    for (std::size_t i = 0; i < place.size(); ++i) place[i] = static_cast<float>(matrix.values[i]);
    iteration.orthogonalize(size);
    return {place.begin(), place.end()};
}

double worst_error(const std::vector<float>& found, const Matrix& expected) {
    double worst = 0.0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const double error = std::abs(static_cast<double>(found[i]) - expected.values[i]);
        if (!(error <= worst)) worst = error;  // a NaN is the worst
    }
    return worst;
}

Matrix random_matrix(const MatrixSize& size, std::uint64_t seed) {
    RandomValues random(seed);
    Matrix matrix(size.rows, size.columns);
    for (double& value : matrix.values)
        value = static_cast<double>(static_cast<float>(random.uniform(-1.0, 1.0)));
    return matrix;
}

}  // namespace

TEST_CASE("singular vectors stay, and the polynomial goes over the values", "[trainer][muon]") {
    const MuonConfig config;
    NewtonSchulz iteration(config, kSizes);
    for (const MatrixSize& size : kSizes) {
        CAPTURE(size.rows, size.columns);
        std::vector<double> values = falling_values(size.columns);
        const Matrix matrix = with_singular_values(size, values);
        const double length = norm(matrix) + 1e-7;
        for (double& s : values) {
            s /= length;
            for (int step = 0; step < config.ns_steps; ++step)
                s = config.muon_a * s + config.muon_b * std::pow(s, 3) +
                    config.muon_c * std::pow(s, 5);
            if (size.columns > 1 && size.columns <= 33) CHECK(std::abs(s - 0.95) < 0.35);
        }
        CHECK(worst_error(orthogonalized(iteration, size, matrix),
                          with_singular_values(size, values)) < 2e-5);
    }
}

TEST_CASE("random matrices: the iteration of plain loops in double", "[trainer][muon]") {
    for (const int steps : {0, 1, 3, 5}) {
        MuonConfig config{.ns_steps = steps};
        if (steps == 3) config.muon_a = 2.0, config.muon_b = -1.5, config.muon_c = 0.5;
        NewtonSchulz iteration(config, kSizes);
        for (const MatrixSize& size : kSizes) {
            CAPTURE(steps, size.rows, size.columns);
            const Matrix matrix = random_matrix(size, size.rows);
            CHECK(worst_error(orthogonalized(iteration, size, matrix),
                              plain_newton_schulz(config, matrix)) < 2e-5);
        }
    }
}

TEST_CASE("a matrix of zeros stays it, and sizes of numbers do not matter", "[trainer][muon]") {
    const MatrixSize size{.rows = 40, .columns = 33};
    NewtonSchulz iteration({}, std::vector<MatrixSize>{size});
    const std::vector<float> of_zeros = orthogonalized(iteration, size, Matrix(40, 33));
    CHECK(std::ranges::all_of(of_zeros, [](float value) { return value == 0.0F; }));
    const Matrix plain = random_matrix(size, 5);
    const std::vector<float> expected = orthogonalized(iteration, size, plain);
    for (const double factor : {1e3, 1e30}) {  // epsilon is nothing beside the norm
        const Matrix scaled = sum(factor, plain, 0.0, plain);
        double worst = 0.0;
        const std::vector<float> found = orthogonalized(iteration, size, scaled);
        for (std::size_t i = 0; i < found.size(); ++i)
            worst = std::max(worst, static_cast<double>(std::abs(found[i] - expected[i])));
        CHECK(worst < 2e-5);
    }
}

TEST_CASE("a matrix' bits do not depend on those made orthogonal before", "[trainer][muon]") {
    NewtonSchulz used({}, kSizes);
    for (const MatrixSize& size : kSizes) orthogonalized(used, size, random_matrix(size, 3));
    for (const MatrixSize& size : kSizes) {
        CAPTURE(size.rows, size.columns);
        NewtonSchulz fresh({}, std::vector<MatrixSize>{size});
        const Matrix matrix = random_matrix(size, 7);
        CHECK(orthogonalized(used, size, matrix) == orthogonalized(fresh, size, matrix));
    }
}
