#include "reports/page/html_pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>

#include "reports/page/png_image.hpp"
#include "reports/words/html_text.hpp"
#include "storage/files/sha256.hpp"

namespace lockstep::reports {
namespace {

constexpr std::size_t kAtlasColumns = 25;
constexpr std::size_t kFilterColumns = 16;
constexpr std::size_t kMostFilters = 256;

std::size_t size_of(int value) { return static_cast<std::size_t>(value); }

// A kernel whose filters can be seen.
struct FilterShape {
    std::size_t height = 0;
    std::size_t width = 0;
    std::size_t channels = 0;  // 1 or 3
    std::size_t filters = 0;   // 0: cannot be shown
};

FilterShape shape_of(const storage::NamedArray& kernel) {
    if (kernel.shape.size() != 4) return {};
    const auto at = [&](std::size_t i) { return static_cast<std::size_t>(kernel.shape[i]); };
    const FilterShape shape{at(0), at(1), at(2), at(3)};
    const bool is_visible = (shape.channels == 1 || shape.channels == 3) && shape.height > 0 &&
                            shape.width > 0 && shape.height * shape.width <= 1024;
    const bool is_whole =
        kernel.values.size() == shape.height * shape.width * shape.channels * shape.filters;
    return is_visible && is_whole ? shape : FilterShape{};
}

// All filters beside each other, a transparent pixel between them.
class FilterGrid {
public:
    FilterGrid(const storage::NamedArray& kernel, const FilterShape& shape)
        : kernel_(kernel),
          shape_(shape),
          shown_(std::min(shape.filters, kMostFilters)),
          columns_(std::min(shown_, kFilterColumns)),
          width_(columns_ * (shape.width + 1) - 1),
          height_((shown_ + columns_ - 1) / columns_ * (shape.height + 1) - 1),
          pixels_(width_ * height_ * 4, 0) {
        for (std::size_t filter = 0; filter < shown_; ++filter) draw(filter);
    }
    std::size_t width() const { return width_; }
    std::size_t height() const { return height_; }
    std::size_t shown() const { return shown_; }
    std::span<const std::uint8_t> pixels() const { return pixels_; }

private:
    float weight(std::size_t place, std::size_t channel, std::size_t filter) const {
        return kernel_.values[(place * shape_.channels + channel) * shape_.filters + filter];
    }

    void draw(std::size_t filter) {
        float low = weight(0, 0, filter);
        float high = low;
        for (std::size_t i = 0; i < shape_.height * shape_.width * shape_.channels; ++i) {
            const float value = weight(i / shape_.channels, i % shape_.channels, filter);
            low = std::fmin(low, value);
            high = std::fmax(high, value);
        }
        const std::size_t left = filter % columns_ * (shape_.width + 1);
        const std::size_t top = filter / columns_ * (shape_.height + 1);
        for (std::size_t place = 0; place < shape_.height * shape_.width; ++place) {
            const std::size_t x = left + place % shape_.width;
            const std::size_t y = top + place / shape_.width;
            std::uint8_t* pixel = pixels_.data() + (y * width_ + x) * 4;
            for (std::size_t color = 0; color < 3; ++color) {
                const float value = weight(place, shape_.channels == 3 ? color : 0, filter);
                const float part = high > low ? (value - low) / (high - low) : 0.5f;
                pixel[color] =
                    static_cast<std::uint8_t>(std::lround(255.0f * (part >= 0.0f ? part : 0.0f)));
            }
            pixel[3] = 255;
        }
    }

    const storage::NamedArray& kernel_;
    FilterShape shape_;
    std::size_t shown_, columns_, width_, height_;
    std::vector<std::uint8_t> pixels_;
};

}  // namespace

std::size_t ImageAtlas::image_bytes() const { return size_of(height_) * size_of(width_) * 3; }

std::size_t ImageAtlas::place_of(const ImageSheet& sheet, std::size_t image) {
    if (digests_.empty()) {
        height_ = sheet.height;
        width_ = sheet.width;
    }
    if (sheet.height != height_ || sheet.width != width_ || image >= sheet.count()) {
        throw std::invalid_argument("an image that does not belong into this atlas");
    }
    const std::span<const std::uint8_t> pixels(sheet.images.data() + image * image_bytes(),
                                               image_bytes());
    const std::string digest = storage::sha256_hex(std::as_bytes(pixels));
    const auto known = std::ranges::find(digests_, digest);
    if (known == digests_.end()) {
        images_.insert(images_.end(), pixels.begin(), pixels.end());
        digests_.push_back(digest);
        return digests_.size() - 1;
    }
    return static_cast<std::size_t>(known - digests_.begin());
}

std::string ImageAtlas::definition() const {
    if (digests_.empty()) return {};
    const std::size_t columns = std::min(digests_.size(), kAtlasColumns);
    const std::size_t rows = (digests_.size() + columns - 1) / columns;
    const std::size_t line = columns * size_of(width_) * 3;
    std::vector<std::uint8_t> pixels(line * rows * size_of(height_), 0);
    for (std::size_t i = 0; i < digests_.size(); ++i) {
        const std::size_t bytes = size_of(width_) * 3;
        for (std::size_t y = 0; y < size_of(height_); ++y) {
            const auto* src = images_.data() + i * image_bytes() + y * bytes;
            auto* dst =
                pixels.data() + (i / columns * size_of(height_) + y) * line + i % columns * bytes;
            std::copy_n(src, bytes, dst);
        }
    }
    const int width = static_cast<int>(columns) * width_;
    const int height = static_cast<int>(rows) * height_;
    return fmt::format(
        "<svg class=\"atlas\" aria-hidden=\"true\"><defs><image id=\"{}\" width=\"{}\" "
        "height=\"{}\" href=\"{}\"/></defs></svg>\n",
        id_, width, height, png_data_uri(pixels, width, height, PngPixels::rgb));
}

std::string ImageAtlas::picture(std::size_t place, std::string_view description) const {
    const std::size_t columns = kAtlasColumns;
    return fmt::format(
        "<svg viewBox=\"{} {} {} {}\" role=\"img\" aria-label=\"{}\"><use href=\"#{}\"/></svg>",
        place % columns * size_of(width_), place / columns * size_of(height_), width_, height_,
        html_text(description), id_);
}

std::string filters_picture(const storage::NamedArray& kernel) {
    const FilterShape shape = shape_of(kernel);
    if (shape.filters == 0) return {};
    const FilterGrid grid(kernel, shape);
    // Small filters are enlarged to about 36 pixels each.
    const std::size_t scale = std::max<std::size_t>(1, 36 / std::max(shape.width, shape.height));
    const std::string more = grid.shown() < shape.filters
                                 ? fmt::format(", the first {} of {}", grid.shown(), shape.filters)
                                 : "";
    return fmt::format(
        "<img class=\"pixels\" src=\"{}\" width=\"{}\" height=\"{}\" "
        "alt=\"{} filters of {} x {} weights{}\">\n",
        png_data_uri(grid.pixels(), static_cast<int>(grid.width()), static_cast<int>(grid.height()),
                     PngPixels::rgba),
        grid.width() * scale, grid.height() * scale, grid.shown(), shape.height, shape.width, more);
}

}  // namespace lockstep::reports
