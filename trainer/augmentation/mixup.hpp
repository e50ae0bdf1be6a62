#pragma once

// What mixup draws: a partner among all training samples, and the weight of the sum.
//
// Keras and the paper mix within a batch, whose order is drawn: of a partner that is drawn among
// all samples the distribution is the same, and it depends neither on how batches are cut nor on
// which rank has which of them.

#include <cstdint>

#include "trainer/determinism/random.hpp"

namespace lockstep::trainer {

struct Mix {
    std::uint32_t partner = 0;  // its number among the samples; may be the sample itself
    float weight = 1.0F;        // of the sample; the partner's is 1 - weight
};

//   counter   of the change of this sample in this epoch, its last word 0: the others are drawn by
//   samples   how many there are
Mix draw_mix(double alpha, RandomKey key, RandomWords counter, std::uint32_t samples);

// From Beta(alpha, alpha), as the share of one of two draws from Gamma(alpha) [1] in their sum; in
// logarithms, which an alpha near 0 needs. Last words of the counter from 1 on are used.
//
// [1] G. Marsaglia, W. Tsang: A simple method for generating gamma variables. ACM Transactions on
//     Mathematical Software 26(3), 2000. doi:10.1145/358407.358414
double draw_beta(double alpha, RandomKey key, RandomWords counter);

}  // namespace lockstep::trainer
