#pragma once

// Images beside images of one pixel, which stands for all of theirs.

#include "trainer/kernels/layout.hpp"

namespace lockstep::trainer {

// image: the layout of src and dst. A pixel has the same block: one value a padded channel of each
// sample. dst may be src.
void add_pixel(const Layout& image, const float* src, const float* pixel, float* dst, int samples);
void multiply_by_pixel(const Layout& image, const float* src, const float* pixel, float* dst,
                       int samples);
// pixel = the sum over the pixels of a x b, or of a where b is null; over more than a run of them
// in double.
void sum_over_pixels(const Layout& image, const float* a, const float* b, float* pixel,
                     int samples);

}  // namespace lockstep::trainer
