#pragma once

#include <vector>

#include "trainer/config/train_config.hpp"

namespace lockstep::tests {

// Every kind of convolution, padding and enlarging: channels by themselves, in groups that fill
// blocks and groups that are merged, with gaps; of images of 8 x 8.
std::vector<trainer::LayerConfig> convolution_layers(int classes);

}  // namespace lockstep::tests
