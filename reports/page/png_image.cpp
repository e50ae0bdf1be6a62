#include "reports/page/png_image.hpp"

#include <png.h>

#include <cstddef>
#include <stdexcept>
#include <vector>

#include "reports/page/base64.hpp"

namespace lockstep::reports {
namespace {

[[noreturn]] void fail(const png_image& image) {
    throw std::runtime_error(std::string("libpng: ") + image.message);
}

}  // namespace

std::vector<std::uint8_t> png_bytes(std::span<const std::uint8_t> pixels, int width, int height,
                                    PngPixels format) {
    const std::size_t channels = format == PngPixels::rgb ? 3 : 4;
    if (width < 1 || height < 1 ||
        pixels.size() !=
            static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * channels) {
        throw std::invalid_argument("pixels do not fill the image");
    }
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(width);
    image.height = static_cast<png_uint_32>(height);
    image.format = format == PngPixels::rgb ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
    // Asked for its size first; the second call writes the same bytes.
    png_alloc_size_t size = 0;
    if (!png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, nullptr)) {
        fail(image);
    }
    std::vector<std::uint8_t> bytes(size);
    if (!png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data(), 0, nullptr)) {
        fail(image);
    }
    bytes.resize(size);
    return bytes;
}

std::string png_data_uri(std::span<const std::uint8_t> pixels, int width, int height,
                         PngPixels format) {
    return "data:image/png;base64," + base64(png_bytes(pixels, width, height, format));
}

}  // namespace lockstep::reports
