#include "trainer/data/image_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <system_error>

#include "trainer/data/dataset.hpp"
#include "trainer/data/image_decoders.hpp"
#include "trainer/data/image_resizing.hpp"
#include "trainer/data/number_text.hpp"
#include "trainer/data/regular_file.hpp"

namespace lockstep::trainer {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::uint8_t, 4> kPngSignature{0x89, 'P', 'N', 'G'};
constexpr std::array<std::uint8_t, 3> kJpegSignature{0xff, 0xd8, 0xff};
constexpr std::array<std::string_view, 6> kImageEndings{".png", ".jpg", ".jpeg",
                                                        ".ppm", ".pgm", ".pnm"};

template <std::size_t Size>
bool starts_with(FileBytes bytes, const std::array<std::uint8_t, Size>& signature) {
    return bytes.size() >= Size && std::equal(signature.begin(), signature.end(), bytes.begin());
}

bool is_image_name(const fs::path& path) {
    std::string ending = path.extension().string();
    std::ranges::transform(ending, ending.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return std::ranges::find(kImageEndings, ending) != kImageEndings.end();
}

std::uint8_t luma(const std::uint8_t* rgb) {
    return static_cast<std::uint8_t>((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000);
}

}  // namespace

void check_size(std::int64_t height, std::int64_t width, const std::string& origin) {
    if (height < 1 || width < 1) throw_damaged(origin, "an image without pixels");
    if (height > kMostPixels / width) {
        throw_damaged(origin, fmt::format("{} x {} pixels are too many; at most {} are read", width,
                                          height, kMostPixels));
    }
}

Image blank_image(std::int64_t height, std::int64_t width, const std::string& origin) {
    check_size(height, width, origin);
    Image image{static_cast<int>(height), static_cast<int>(width), {}};
    image.pixels.resize(static_cast<std::size_t>(height * width) * 3);
    return image;
}

Image decode_image(std::span<const std::uint8_t> bytes, const std::string& origin) {
    if (bytes.empty()) throw_damaged(origin, "the file is empty");
    if (starts_with(bytes, kPngSignature)) return decode_png(bytes, origin);
    if (starts_with(bytes, kJpegSignature)) return decode_jpeg(bytes, origin);
    const bool is_pnm =
        bytes.size() > 2 && bytes[0] == 'P' &&
        std::string_view("2356").find(static_cast<char>(bytes[1])) != std::string_view::npos;
    if (is_pnm) return decode_pnm(bytes, origin);
    throw_damaged(origin, "neither PNG nor JPEG nor PPM");
}

Image read_image(const fs::path& path) {
    RegularFile file(path);
    if (file.size() > kLargestImageFile) {
        throw_damaged(path.string(),
                      fmt::format("{} bytes; images of at most {} are read",
                                  with_commas(file.size()), with_commas(kLargestImageFile)));
    }
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(file.size()));
    file.read(bytes);
    return decode_image(bytes, path.string());
}

std::vector<std::uint8_t> image_planes(const Image& image, const Shape& shape,
                                       const Resizing& resizing) {
    if (shape.channels != 1 && shape.channels != 3) {
        throw DataError(
            DataError::Kind::bad_request,
            fmt::format("the network sees {} channels; image files have 1 or 3", shape.channels));
    }
    const Image sized = resized(image, shape.height, shape.width, resizing);
    const std::size_t plane = sized.pixels.size() / 3;
    std::vector<std::uint8_t> planes;
    planes.reserve(plane * static_cast<std::size_t>(shape.channels));
    if (shape.channels == 1) {
        for (std::size_t i = 0; i < plane; ++i) planes.push_back(luma(&sized.pixels[i * 3]));
        return planes;
    }
    for (std::size_t c = 0; c < 3; ++c) {
        for (std::size_t i = 0; i < plane; ++i) planes.push_back(sized.pixels[i * 3 + c]);
    }
    return planes;
}

std::vector<fs::path> image_files_in(const fs::path& folder, std::int64_t* others) {
    std::vector<fs::path> files;
    std::error_code error;
    fs::recursive_directory_iterator entry(folder, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        std::error_code ignored;
        if (!entry->is_regular_file(ignored)) continue;
        if (is_image_name(entry->path()))
            files.push_back(entry->path());
        else if (others != nullptr)
            ++*others;
    }
    if (error) {
        throw DataError(DataError::Kind::missing,
                        fmt::format("{}: {}", folder.string(), error.message()));
    }
    std::ranges::sort(files, {}, [](const fs::path& path) { return path.native(); });
    return files;
}

}  // namespace lockstep::trainer
