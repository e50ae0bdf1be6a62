#pragma once

// How the own samples of a dense layer are put into calls of forward and of backward data.
//
// Shard by shard is the definition: a shard's size knows nothing of ranks. One call over all own
// samples is faster, and taken where it gives the same bits. Whether it does is oneDNN's affair
// (version, instruction set, shape), so it is tried out when the plan is made. Ranks may find
// differently, since they own different numbers of samples: the bits are those of the definition
// either way.

#include <span>
#include <vector>

#include "trainer/determinism/batch_geometry.hpp"
#include "trainer/kernels/inner_product.hpp"

namespace lockstep::trainer {

// shards: of this rank, one behind the other from sample 0; may be none.
//   needs_backward_data   else it is left as the shards
DenseRanges choose_dense_ranges(const InnerProductFormat& format,
                                std::span<const SampleRange> shards, bool needs_backward_data);

}  // namespace lockstep::trainer
