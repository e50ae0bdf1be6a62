#include "trainer/data/exif_orientation.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace lockstep::trainer {

namespace {

constexpr std::uint32_t kOrientationTag = 0x0112;
constexpr std::uint32_t kShort = 3;  // a type: two bytes
constexpr std::size_t kEntry = 12;   // bytes: tag, type, count, value

// Numbers in a block of TIFF; nothing where they would lie behind its end.
class Tiff {
public:
    explicit Tiff(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

    // II: the lower byte first. MM: the higher one.
    bool has_header() {
        if (bytes_.size() < 8 || bytes_[0] != bytes_[1]) return false;
        is_little_ = bytes_[0] == 'I';
        return (is_little_ || bytes_[0] == 'M') && number(2, 2) == 42U;
    }
    std::optional<std::uint32_t> number(std::size_t offset, std::size_t length) const {
        if (offset > bytes_.size() || bytes_.size() - offset < length) return std::nullopt;
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < length; ++i) {
            const std::size_t place = is_little_ ? length - 1 - i : i;
            value = value << 8 | bytes_[offset + place];
        }
        return value;
    }

private:
    std::span<const std::uint8_t> bytes_;
    bool is_little_ = false;
};

}  // namespace

int exif_orientation(std::span<const std::uint8_t> exif) {
    Tiff tiff(exif);
    if (!tiff.has_header()) return 1;
    const std::size_t directory = *tiff.number(4, 4);
    const std::uint32_t entries = tiff.number(directory, 2).value_or(0);
    for (std::uint32_t i = 0; i < entries; ++i) {
        const std::size_t entry = directory + 2 + i * kEntry;
        const auto tag = tiff.number(entry, 2);
        if (!tag) return 1;  // the directory is cut off
        if (*tag != kOrientationTag) continue;
        const bool is_short =
            tiff.number(entry + 2, 2) == kShort && tiff.number(entry + 4, 4) == 1U;
        const std::uint32_t value = tiff.number(entry + 8, 2).value_or(0);
        return is_short && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
    }
    return 1;
}

Image turned(Image image, int orientation) {
    if (orientation <= 1 || orientation > 8) return image;
    const bool is_transposed = orientation >= 5;
    Image result{is_transposed ? image.width : image.height,
                 is_transposed ? image.height : image.width,
                 std::vector<std::uint8_t>(image.pixels.size())};
    // Where a pixel of the result comes from: mirrored after x and y have changed places.
    const bool is_bottom_up =
        orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    const bool is_right_to_left =
        orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    std::uint8_t* out = result.pixels.data();
    for (int y = 0; y < result.height; ++y) {
        for (int x = 0; x < result.width; ++x, out += 3) {
            const int row = is_bottom_up ? result.height - 1 - y : y;
            const int column = is_right_to_left ? result.width - 1 - x : x;
            const int from_y = is_transposed ? column : row;
            const int from_x = is_transposed ? row : column;
            const auto place =
                static_cast<std::size_t>(from_y) * static_cast<std::size_t>(image.width) +
                static_cast<std::size_t>(from_x);
            std::copy_n(image.pixels.data() + place * 3, 3, out);
        }
    }
    return result;
}

}  // namespace lockstep::trainer
