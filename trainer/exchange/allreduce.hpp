#pragma once

// The sum of gradients on every rank, by what carries it there: the classic ring, MPI's own
// collective, the ordered ring. Its bits depend on the number of ranks.

#include <span>

namespace lockstep::trainer {

class Allreduce {
public:
    virtual ~Allreduce() = default;

    // Sums over the gradients of all ranks. Collective.
    //   own_shards   this rank's gradients, of shards or of sums over some, in the shards' order;
    //                each of shape [count]; empty on a rank that has none
    //   sum          shape [count]; out: the sum, on every rank. Overlaps no gradient
    // Throws
    //   std::invalid_argument   if a length is not `count`; this rank has then sent nothing
    //   CommError               if MPI fails; `sum` is then undefined and other ranks may wait
    //                           forever, so the caller ends the run
    virtual void sum_shards(std::span<const std::span<const float>> own_shards,
                            std::span<float> sum) = 0;
};

}  // namespace lockstep::trainer
