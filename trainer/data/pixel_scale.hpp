#pragma once

// What turns the bytes of pixels into the numbers a network sees.

#include "trainer/data/dataset.hpp"

namespace lockstep::trainer {

// The scale of a run.
//   training   the run's training samples, at least one; only `standard` looks at them
//   shape      of one image
// `standard` takes each channel's mean and deviation (over n, not n - 1) from exact counts of pixel
// values, so no order of summing is in its bits. A constant channel has divisor 1.
PixelScale pixel_scale(Scale scale, const SampleSet& training, const Shape& shape);

}  // namespace lockstep::trainer
