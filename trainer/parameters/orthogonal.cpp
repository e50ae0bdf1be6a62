#include "trainer/parameters/orthogonal.hpp"

#include <array>
#include <cmath>

namespace lockstep::trainer {

namespace {

// Eight chains of additions, which a compiler may compute together.
double dot(std::span<const double> a, std::span<const double> b) {
    std::array<double, 8> sums{};
    const std::size_t whole = a.size() / sums.size() * sums.size();
    for (std::size_t i = 0; i < whole; i += sums.size())
        for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += a[i + k] * b[i + k];
    for (std::size_t i = whole; i < a.size(); ++i) sums[0] += a[i] * b[i];
    double sum = 0.0;
    for (const double part : sums) sum += part;
    return sum;
}

}  // namespace

void make_orthonormal(std::span<double> columns, std::size_t rows) {
    for (std::size_t j = 0; j < columns.size(); j += rows) {
        const std::span<double> column = columns.subspan(j, rows);
        const double norm = std::sqrt(dot(column, column));
        for (double& value : column) value /= norm;
        for (std::size_t k = j + rows; k < columns.size(); k += rows) {
            const std::span<double> other = columns.subspan(k, rows);
            const double part = dot(column, other);
            for (std::size_t i = 0; i < rows; ++i) other[i] -= part * column[i];
        }
    }
}

}  // namespace lockstep::trainer
