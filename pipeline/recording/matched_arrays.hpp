#pragma once

// Which array of a file is which tensor of a network.

#include "storage/records/records.hpp"
#include "trainer/config/architecture.hpp"

namespace lockstep::pipeline {

// The arrays in the network's order. Where the file has the network's very layers by name, in
// whatever order, by name; the arrays of a layer likewise, or, where the file numbers them as Keras
// 3 does, as they stand. Where its layers are called otherwise (Keras counts the automatic names of
// a whole session: conv2d_5 for conv2d) the arrays are left as they stand.
storage::NamedArrays matched_by_name(storage::NamedArrays arrays,
                                     const trainer::Architecture& architecture);

}  // namespace lockstep::pipeline
