#pragma once

#include <cstdint>
#include <vector>

namespace lockstep::trainer {

struct SampleRange {
    int first = 0;
    int count = 0;
};

// The part of a batch that one rank computes.
struct BatchGeometry {
    int batch = 0;                    // samples of the whole batch, over all ranks
    int first_sample = 0;             // of this rank, in the batch
    int samples = 0;                  // of this rank
    std::vector<SampleRange> shards;  // own shards with samples in them, counted from first_sample
};

}  // namespace lockstep::trainer
