#pragma once

// Which array of a file is which tensor of a network.

#include <string>
#include <vector>

#include "storage/records/records.hpp"
#include "trainer/config/architecture.hpp"

namespace lockstep::pipeline {

// The arrays in the network's order. Where the file has the network's very layers by name, in
// whatever order, by name; the arrays of a layer likewise, or, where the file numbers them as Keras
// 3 does, as they stand. Where its layers are called otherwise (Keras counts the automatic names of
// a whole session: conv2d_5 for conv2d) by their places, as Keras itself does; without places the
// arrays are left as they stand.
//   places   each array's (ModelFile::places), or none
//   origin   names the file in messages
// Throws trainer::WeightsError if the places are not those of the network's layers.
storage::NamedArrays matched_arrays(storage::NamedArrays arrays,
                                    const std::vector<std::string>& places,
                                    const trainer::Architecture& architecture,
                                    const std::string& origin);

}  // namespace lockstep::pipeline
