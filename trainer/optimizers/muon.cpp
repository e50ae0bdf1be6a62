#include "trainer/optimizers/muon.hpp"

#include <algorithm>
#include <cmath>

namespace lockstep::trainer {
namespace {

// Of the elements of a matrix, those of a transposed one where it is wider than high.
std::vector<std::uint32_t> places_of(const MuonTensor& tensor, const Parameters& parameters) {
    const std::vector<std::uint32_t> row_by_row = parameters.positions(tensor.number);
    const bool is_wide = tensor.columns > tensor.rows;
    std::vector<std::uint32_t> places;
    places.reserve(row_by_row.size());
    for (std::size_t i = 0; i < row_by_row.size(); ++i) {
        const std::size_t from = is_wide ? i % tensor.rows * tensor.columns + i / tensor.rows : i;
        places.push_back(static_cast<std::uint32_t>(tensor.first) + row_by_row[from]);
    }
    return places;
}

float factor_of(const MuonConfig& config, const MatrixSize& size) {
    if (!config.rms_rate) return 1.0F;
    return static_cast<float>(std::sqrt(static_cast<double>(size.rows)) * *config.rms_rate);
}

}  // namespace

std::vector<Muon::OwnTensor> Muon::own_tensors(const MuonConfig& config,
                                               std::span<const MuonTensor> tensors,
                                               std::span<const int> owners,
                                               const Parameters& parameters, int rank) {
    std::vector<OwnTensor> own;
    for (std::size_t t = 0; t < tensors.size(); ++t) {
        if (owners[t] != rank) continue;
        const auto [columns, rows] = std::minmax(tensors[t].rows, tensors[t].columns);
        const MatrixSize size{.rows = rows, .columns = columns};
        own.push_back({.size = size,
                       .factor = factor_of(config, size),
                       .trained_steps = tensors[t].trained_steps,
                       .places = places_of(tensors[t], parameters)});
    }
    return own;
}

std::vector<MatrixSize> Muon::sizes_of(std::span<const OwnTensor> tensors) {
    std::vector<MatrixSize> sizes;
    for (const OwnTensor& own : tensors) sizes.push_back(own.size);
    return sizes;
}

Muon::Muon(const MuonConfig& config, std::span<const MuonTensor> tensors,
           const Parameters& parameters, int rank, int ranks)
    : Muon(config, tensors, muon_owners(tensors, ranks), parameters, rank, ranks) {}

Muon::Muon(const MuonConfig& config, std::span<const MuonTensor> tensors,
           const std::vector<int>& owners, const Parameters& parameters, int rank, int ranks)
    : parts_(muon_parts(tensors, owners, ranks)),
      own_(own_tensors(config, tensors, owners, parameters, rank)),
      iteration_(config, sizes_of(own_)) {}

void Muon::orthogonalize(std::int64_t step, std::span<float> directions) {
    for (const OwnTensor& own : own_) {
        if (step >= own.trained_steps) continue;
        const std::span<float> matrix = iteration_.matrix(own.size);
        for (std::size_t i = 0; i < matrix.size(); ++i) matrix[i] = directions[own.places[i]];
        iteration_.orthogonalize(own.size);
        for (std::size_t i = 0; i < matrix.size(); ++i)
            directions[own.places[i]] = own.factor * matrix[i];
    }
}

}  // namespace lockstep::trainer
