#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lockstep::reports {

enum class PngPixels { rgb, rgba };  // 3 or 4 bytes a pixel

// A PNG file of an image with 8 bits a channel, rows from the top.
//   pixels   [height, width, 3 or 4]
// Throws std::invalid_argument if the pixels do not fill the image or there are none,
// std::runtime_error if libpng fails (out of memory).
std::vector<std::uint8_t> png_bytes(std::span<const std::uint8_t> pixels, int width, int height,
                                    PngPixels format);
// The same as "data:image/png;base64,...".
std::string png_data_uri(std::span<const std::uint8_t> pixels, int width, int height,
                         PngPixels format);

}  // namespace lockstep::reports
