#pragma once

// Inside trainer/data only: the rules of image_planes() (image_file.hpp).

#include "trainer/data/image_file.hpp"

namespace lockstep::trainer {

// An image of [height, width, 3]. What crop_to_aspect_ratio leaves of an image of H x W is
// min(H, floor(W h / w)) x min(W, floor(H w / h)) pixels, at least 1, with as much cut off before
// them as behind them, or one less [1].
//
// [1] keras.preprocessing.image.smart_resize
Image resized(const Image& image, int height, int width, const Resizing& resizing);

}  // namespace lockstep::trainer
