#pragma once

// Images between pixels: rotated, zoomed, moved by parts of a pixel; and their pixels' values.

#include "trainer/augmentation/planes.hpp"

namespace lockstep::trainer {

// to(y, x) is from(yy y + yx x + y0, xy y + xx x + x0), bilinearly.
struct Affine {
    double yy = 1.0, yx = 0.0, y0 = 0.0;
    double xy = 0.0, xx = 1.0, x0 = 0.0;
};

Affine translation(double down, double right);                      // in pixels
Affine rotation(double turn, const PlaneShape& shape);              // about the centre
Affine zoom(double height, double width, const PlaneShape& shape);  // 1: as it is

void resample(const float* from, float* to, const PlaneShape& shape, const Affine& affine,
              const Fill& fill);

// In place; results are kept in 0..255.
void brighten(float* image, const PlaneShape& shape, double part_of_255);
void change_contrast(float* image, const PlaneShape& shape, double factor);

}  // namespace lockstep::trainer
