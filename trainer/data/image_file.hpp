#pragma once

// Image files: PNG, JPEG and the PNM family, as bytes of red, green and blue. The format is told by
// a file's first bytes, never by its name.
//
//   PNG    all colour types and depths, interlaced too. Colour profiles and gamma are not applied.
//   JPEG   grey, colour and CMYK, baseline and progressive. CMYK becomes light by (1 - ink) (1 -
//          black), without a colour profile.
//   PNM    P2, P3 (text), P5, P6 (binary), with maximal values up to 65535.
//
// Grey becomes three equal channels. 16 bits become 8 by round(value * 255 / 65535). What is
// transparent is laid over white: out = round((alpha * value + (255 - alpha) * 255) / 255). A
// picture whose EXIF data (of JPEG, of PNG's eXIf) ask for it is turned or mirrored.
//
// What is odd beside the pixels hurts no reader and none here: an end mark that is missing, header
// bytes without a use, damaged or unknown blocks of other data. Pixels that are missing or corrupt
// do: such a file is refused.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "trainer/config/layer_config.hpp"
#include "trainer/config/shape.hpp"

namespace lockstep::trainer {

inline constexpr std::int64_t kMostPixels = 100'000'000;      // of one image
inline constexpr std::int64_t kLargestImageFile = 512 << 20;  // bytes

struct Image {
    int height = 0;
    int width = 0;
    std::vector<std::uint8_t> pixels;  // [height, width, 3], red green blue
};

// Throws DataError
//   missing       if there is no such file, or it cannot be opened
//   damaged       if it is empty, cut off or corrupt, no image of these formats, larger than the
//                 limits above, or no regular file
//   unreadable    if the disk reports an error
Image read_image(const std::filesystem::path& path);
// The same from bytes; `origin` names them in messages.
Image decode_image(std::span<const std::uint8_t> bytes, const std::string& origin);

// How an image becomes one of another size, in the words and by the rules of Keras'
// image_dataset_from_directory.
struct Resizing {
    Interpolation interpolation = Interpolation::bilinear;
    bool crop_to_aspect_ratio = false;  // cuts its middle out first, as large as the ratio allows
};

// The image as one sample of a data set: planes [channels, height, width] in bytes. With one
// channel it is the luma (299 red + 587 green + 114 blue) / 1000 of ITU-R BT.601.
//
// Resized with half-pixel centres and without smoothing when it shrinks. Bilinear: the pixel (y, x)
// of the result is the image at ((y + 1/2) H / h - 1/2, (x + 1/2) W / w - 1/2), its edges
// continued, rounded to a whole value. Nearest: it is the pixel (floor((y + 1/2) H / h),
// floor((x + 1/2) W / w)). An image of the right size is not changed.
// Throws DataError (bad_request) for another number of channels than 1 and 3.
std::vector<std::uint8_t> image_planes(const Image& image, const Shape& shape,
                                       const Resizing& resizing = {});

// The files in a folder and its sub-folders whose names end in .png, .jpg, .jpeg, .ppm, .pgm or
// .pnm, upper or lower case, sorted bytewise. Links are followed to files, not to folders.
//   others   out, where it is given: how many files with other names there are is added to it
// Throws DataError (missing) if the folder cannot be read.
std::vector<std::filesystem::path> image_files_in(const std::filesystem::path& folder,
                                                  std::int64_t* others = nullptr);

}  // namespace lockstep::trainer
