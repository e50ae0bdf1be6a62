#include "trainer/optimizers/newton_schulz.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "trainer/config/out_of_memory.hpp"

namespace lockstep::trainer {
namespace {

constexpr float kNormEpsilon = 1e-7F;  // Keras'

DenseKernel kernel_of(const MatrixSize& size) {
    const int columns = static_cast<int>(size.columns);
    return {columns, columns};
}

// In eight sums, so that they can be made at once, and in double: no matrix is too large for it.
double norm_of(std::span<const float> values) {
    std::array<double, 8> sums{};
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto value = static_cast<double>(values[i]);
        sums[i % sums.size()] += value * value;
    }
    for (std::size_t half = sums.size() / 2; half > 0; half /= 2)
        for (std::size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
    return std::sqrt(sums[0]);
}

// visit(place in panels, place row by row, floats) for all pieces of a square matrix.
template <class Visit>
void for_each_row_of_panels(const DensePanels& panels, Visit visit) {
    for (int panel = 0; panel < panels.panels(); ++panel)
        for (int row = 0; row < panels.features; ++row)
            visit(panels.row_begin(panel, row),
                  static_cast<std::size_t>(row) * static_cast<std::size_t>(panels.units) +
                      panels.first_unit(panel),
                  panels.units_of(panel));
}

}  // namespace

NewtonSchulz::NewtonSchulz(const MuonConfig& config, std::span<const MatrixSize> sizes)
    : steps_(config.ns_steps),
      a_(static_cast<float>(config.muon_a)),
      b_(static_cast<float>(config.muon_b)),
      c_(static_cast<float>(config.muon_c)) {
    std::size_t matrix = 0, padded = 0, panels = 0, square = 0, columns = 0;
    for (const MatrixSize& size : sizes) {
        const DensePanels of_size = kernel_of(size).panels();
        matrix = std::max(matrix, size.rows * size.columns);
        padded = std::max(padded, size.rows * of_size.diff_step());
        panels = std::max(panels, of_size.weight_floats());
        square = std::max(square, size.columns * size.columns);
        columns = std::max(columns, size.columns);
    }
    const std::size_t floats = 2 * matrix + padded + 2 * panels + 2 * square + columns;
    in_memory_for("the matrices that Muon makes orthogonal", floats * sizeof(float), [&] {
        matrix_ = AlignedArray<float>(matrix);
        product_ = AlignedArray<float>(matrix);
        padded_ = AlignedArray<float>(padded);
        gram_panels_ = AlignedArray<float>(panels);
        polynomial_ = AlignedArray<float>(panels);
        gram_ = AlignedArray<float>(square);
        gram_square_ = AlignedArray<float>(square);
        no_bias_ = AlignedArray<float>(columns);
    });
}

void NewtonSchulz::orthogonalize(const MatrixSize& size) {
    const std::span<float> y = matrix(size);
    const float norm = static_cast<float>(norm_of(y)) + kNormEpsilon;
    for (float& value : y) value /= norm;
    const DenseKernel kernel = kernel_of(size);
    for (int i = 0; i < steps_; ++i) step(kernel, size);
}

void NewtonSchulz::step(const DenseKernel& kernel, const MatrixSize& size) {
    make_gram(kernel, size);
    make_polynomial(kernel, size);
    const std::span<float> y = matrix(size);
    kernel.forward(y.data(), polynomial_.data(), no_bias_.data(), false, product_.data(),
                   static_cast<int>(size.rows));
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = a_ * y[i] + product_[i];
}

// A = Y' Y, the gradient of weights whose layer has Y for src and diff_dst.
void NewtonSchulz::make_gram(const DenseKernel& kernel, const MatrixSize& size) {
    const SampleRange all{0, static_cast<int>(size.rows)};
    kernel.gather_diff(matrix_.data(), nullptr, padded_.data(), all.count);
    kernel.weight_gradient_of_rows(0, kernel.panels().rows(),
                                   {.src = matrix_.data(), .diff = padded_.data()}, {&all, 1},
                                   gram_panels_.data());
    for_each_row_of_panels(
        kernel.panels(), [&](std::size_t in_panels, std::size_t in_rows, std::size_t floats) {
            std::copy_n(gram_panels_.data() + in_panels, floats, gram_.data() + in_rows);
        });
}

// B = b A + c A A; padding stays zero.
void NewtonSchulz::make_polynomial(const DenseKernel& kernel, const MatrixSize& size) {
    kernel.forward(gram_.data(), gram_panels_.data(), no_bias_.data(), false, gram_square_.data(),
                   static_cast<int>(size.columns));
    std::fill_n(polynomial_.data(), kernel.panels().weight_floats(), 0.0F);
    for_each_row_of_panels(kernel.panels(), [&](std::size_t in_panels, std::size_t in_rows,
                                                std::size_t floats) {
        for (std::size_t i = 0; i < floats; ++i)
            polynomial_[in_panels + i] = b_ * gram_[in_rows + i] + c_ * gram_square_[in_rows + i];
    });
}

}  // namespace lockstep::trainer
