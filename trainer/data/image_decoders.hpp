#pragma once

// Inside trainer/data only: one decoder a format. Each is given the whole file, and throws
// DataError (damaged), naming `origin`, for whatever it cannot read.

#include <cstdint>
#include <span>
#include <string>

#include "trainer/config/errors.hpp"
#include "trainer/data/image_file.hpp"

namespace lockstep::trainer {

using FileBytes = std::span<const std::uint8_t>;

Image decode_png(FileBytes bytes, const std::string& origin);
Image decode_jpeg(FileBytes bytes, const std::string& origin);
Image decode_pnm(FileBytes bytes, const std::string& origin);

// Throws for a side below 1, and above kMostPixels.
void check_size(std::int64_t height, std::int64_t width, const std::string& origin);

// An image of this size, its pixels 0. Throws as check_size().
Image blank_image(std::int64_t height, std::int64_t width, const std::string& origin);

}  // namespace lockstep::trainer
