#pragma once

// Which tensors take Muon, as matrices of which shape, and which rank makes which of them
// orthogonal: docs/muon.md.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trainer/config/train_config.hpp"
#include "trainer/exchange/slices.hpp"
#include "trainer/parameters/parameters.hpp"

namespace lockstep::trainer {

// Those of Keras' rule: matrices, but for the layers that are excluded; and kernels of convolutions
// where these are not. Nothing of another optimizer.
//   shape   Keras'
bool takes_muon(const OptimizerConfig& optimizer, const LayerConfig& layer,
                const std::string& tensor, std::span<const std::int64_t> shape);

// A matrix [rows, columns], row by row in Keras' order: all axes of a kernel but the last by the
// last.
struct MuonTensor {
    std::size_t number = 0;            // Parameters'
    std::size_t first = 0, count = 0;  // in Parameters::trainable(), padding included
    std::size_t rows = 0, columns = 0;
    std::int64_t trained_steps = 0;  // from then on it stays

    // Multiply-adds of one step of the iteration.
    std::uint64_t cost() const;
};

// In the order of the weights.
std::vector<MuonTensor> muon_tensors(const OptimizerConfig& optimizer,
                                     std::span<const LayerConfig> layers,
                                     const Parameters& parameters, std::int64_t steps_per_epoch);

// By tensor the rank, of so many, that makes it orthogonal: ascending.
std::vector<int> muon_owners(std::span<const MuonTensor> tensors, int ranks);
// By rank: the part of the weights from its first tensor to its last.
std::vector<Slice> muon_parts(std::span<const MuonTensor> tensors, std::span<const int> owners,
                              int ranks);

}  // namespace lockstep::trainer
