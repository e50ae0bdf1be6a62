#pragma once

// Inside storage only: weights in Keras 3's own layout, by the place of their layer
// (keras_archive.hpp).

#include <string>
#include <vector>

#include "storage/records/records.hpp"
#include "storage/weights/hdf5.hpp"

namespace lockstep::storage {

// Whether a file has that layout.
bool has_keras3_layout(const Hdf5Source& source);

// The arrays of layers/<place>/vars, named "0", "1", ... as Keras numbers them, of layers whose
// order is known. The places follow from it.
//   class_names   of the layers, in the order of the network
//   layer_names   of the same layers
// Throws StorageError (bad_data) as the others do, and if the file has weights at a place that no
// layer has.
NamedArrays read_keras3_weights(const Hdf5Source& source,
                                const std::vector<std::string>& class_names,
                                const std::vector<std::string>& layer_names);

struct PlacedArrays {
    NamedArrays arrays;
    std::vector<std::string> places;  // of each array's layer
};
// The same where nothing is known of the network: the layers are called as the file's attribute
// says, or as their place, and come in the order of the places by name, which tells nothing.
PlacedArrays read_placed_weights(const Hdf5Source& source);

}  // namespace lockstep::storage
