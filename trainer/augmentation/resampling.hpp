#pragma once

// Images between pixels: rotated, zoomed, moved by parts of a pixel; and their pixels' values.

#include <vector>

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

// Resamples images of one shape.
//
// A pixel's channels are taken side by side, so that each of its four neighbours is one load, and a
// neighbour that is not there is one more pixel, of the fill value. A value's arithmetic is that of
// its own pixels, whatever is computed beside it.
class Resampler {
public:
    explicit Resampler(const PlaneShape& shape);

    // Allocates nothing. `from` and `to` are different images.
    void resample(const float* from, float* to, const Affine& affine, const Fill& fill);

private:
    struct Neighbours {             // of the pixels of a row, on one axis
        std::vector<int> first;     // the pixel in front of the place; the second is the next
        std::vector<float> weight;  // of the second
    };
    template <int lanes>
    void resample_channels(const float* from, float* to, int channels, const Affine& affine,
                           const Fill& fill);

    PlaneShape shape_;
    std::vector<float> pixels_;  // [pixels + the fill value][lanes]
    Neighbours rows_, columns_;
};

// In place; results are kept in 0..255.
void brighten(float* image, const PlaneShape& shape, double part_of_255);
void change_contrast(float* image, const PlaneShape& shape, double factor);

}  // namespace lockstep::trainer
