#pragma once

// The orientation that cameras write into a picture: how its rows and columns are to be turned
// before it is seen [1, tag 0x0112].
//
//   1 as it is   2 mirrored left to right   3 by 180 degrees   4 mirrored top to bottom
//   5 mirrored along the main diagonal   6 by 90 degrees clockwise
//   7 mirrored along the other diagonal  8 by 90 degrees counter-clockwise
//
// [1] CIPA DC-008: Exchangeable image file format for digital still cameras (Exif), 2.32. 2019.

#include <cstdint>
#include <span>

#include "trainer/data/image_file.hpp"

namespace lockstep::trainer {

// From a block of Exif data: a TIFF header of either byte order and its first directory. 1 where
// the block tells none, or is damaged: then a picture is shown as it is.
int exif_orientation(std::span<const std::uint8_t> exif);

// The picture as it is to be seen. orientation: 1 to 8.
Image turned(Image image, int orientation);

}  // namespace lockstep::trainer
