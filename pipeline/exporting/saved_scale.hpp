#pragma once

// How a saved network wants its pixels.

#include <memory>

#include "pipeline/exporting/saved_network.hpp"
#include "trainer/data/dataset.hpp"

namespace lockstep::pipeline {

// Whether `dataset` is not the one the network was trained on; false where its file does not tell.
bool is_other_data(const SavedNetwork& network, const trainer::Dataset& dataset);

// The pixel scale the network was trained with: what its weights file says, else what its
// experiment says. `--set data.scale` comes before both.
//   own   the run's data set, where it is loaded already
// Data are opened in one case only: scale = "standard" and a file that does not tell mean and
// deviation, of another program or of an older Lockstep.
// Throws
//   Failure (65)         if file and experiment differ; if that data set is another one than the
//                        network was trained on
//   trainer::DataError   if it cannot be loaded
trainer::PixelScale pixel_scale_of(const SavedNetwork& network,
                                   std::shared_ptr<const trainer::Dataset> own = nullptr);

}  // namespace lockstep::pipeline
