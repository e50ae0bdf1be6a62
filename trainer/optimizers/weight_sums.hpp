#pragma once

// Two sums over all weights that a step may need: with the same bits on any number of ranks
// (square_sum.hpp).

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/exchange/square_sum.hpp"
#include "trainer/optimizers/weight_ranges.hpp"

namespace lockstep::trainer {

// What L2 regularizers add to the loss: the sum of l2 w^2.
class Penalty {
public:
    //   weights   how many there are
    Penalty(std::vector<WeightRange> ranges, std::size_t weights, int ranks);

    void begin() { sum_.begin(); }
    // As SquareSum::add().
    void take(std::size_t first, std::span<const float> weights);
    // Of what all ranks have taken. Collective.
    double total(const Communicator& comm) { return sum_.total(comm); }
    // Of all weights, for a rank that has them.
    double of(std::span<const float> weights);

private:
    std::vector<WeightRange> ranges_;
    SquareSum sum_;
};

// The norm of the gradient of all weights that a step trains, regularizers included.
class GradientNorm {
public:
    GradientNorm(std::vector<WeightRange> ranges, std::size_t weights, int ranks);

    //   step   from 0, over the whole run
    void begin(std::int64_t step) {
        step_ = step;
        sum_.begin();
    }
    void take(std::size_t first, std::span<const float> gradient, std::span<const float> weights);
    double total(const Communicator& comm);

private:
    std::vector<WeightRange> ranges_;
    std::int64_t step_ = 0;
    SquareSum sum_;
};

}  // namespace lockstep::trainer
