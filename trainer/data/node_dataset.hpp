#pragma once

// One data set for all ranks of a node.

#include <memory>

#include "trainer/data/dataset.hpp"
#include "trainer/exchange/communicator.hpp"

namespace lockstep::trainer {

// Gives the other ranks of a node the data set of rank 0, their pixels in the same memory.
// Collective.
//   loaded    rank 0's; ignored on the others
// Returns `loaded` on rank 0 and its like on the others; null on the others if any of them cannot
// reach rank 0's memory: then each has to load for itself.
// Throws CommError if MPI fails.
std::shared_ptr<const Dataset> share_dataset(const Communicator& node,
                                             std::shared_ptr<const Dataset> loaded);

}  // namespace lockstep::trainer
