#pragma once

// Muon's part of a step between the sum and the update: this rank's tensors, orthogonal.
//
// A direction as long as the weights comes in, in which all ranks have written what they update
// (Optimizer::take_directions()). What is a matrix of this rank's goes out in its place as
//   sqrt(max(rows, columns)) rms_rate Y
// with Y as NewtonSchulz makes it. K. Jordan et al.: Muon, 2024; J. Liu et al.: Muon is scalable
// for LLM training, 2025, arXiv:2502.16982.

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/optimizers/muon_tensors.hpp"
#include "trainer/optimizers/newton_schulz.hpp"

namespace lockstep::trainer {

class Muon {
public:
    //   tensors   all that take Muon, whichever rank has them
    Muon(const MuonConfig& config, std::span<const MuonTensor> tensors,
         const Parameters& parameters, int rank, int ranks);

    // By rank: where the tensors lie that it makes orthogonal.
    std::span<const Slice> parts() const { return parts_; }
    // Makes this rank's orthogonal, of those that the step trains.
    //   directions   as long as Parameters::trainable()
    void orthogonalize(std::int64_t step, std::span<float> directions);

private:
    struct OwnTensor {
        MatrixSize size;
        float factor;
        std::int64_t trained_steps;
        std::vector<std::uint32_t> places;  // in the directions, of size's elements in their order
    };
    static std::vector<OwnTensor> own_tensors(const MuonConfig& config,
                                              std::span<const MuonTensor> tensors,
                                              std::span<const int> owners,
                                              const Parameters& parameters, int rank);
    static std::vector<MatrixSize> sizes_of(std::span<const OwnTensor> tensors);
    Muon(const MuonConfig& config, std::span<const MuonTensor> tensors,
         const std::vector<int>& owners, const Parameters& parameters, int rank, int ranks);

    std::vector<Slice> parts_;
    std::vector<OwnTensor> own_;
    NewtonSchulz iteration_;
};

}  // namespace lockstep::trainer
