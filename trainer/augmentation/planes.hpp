#pragma once

// Images as planes of pixels, [channels][height][width], of bytes or of float32; and what moves
// whole pixels.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "trainer/config/augmentation_config.hpp"

namespace lockstep::trainer {

struct PlaneShape {
    int height, width, channels;
    std::size_t pixels() const {
        return static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
    }
    std::size_t values() const { return pixels() * static_cast<std::size_t>(channels); }
};

// The pixel that stands at `at` of an axis beyond its ends; -1: the fill value.
int filled_position(int at, int size, FillMode mode);

template <class Pixel>
Pixel pixel_of(double value) {
    if constexpr (std::is_same_v<Pixel, float>)
        return static_cast<float>(value);
    else
        return static_cast<Pixel>(std::clamp(value + 0.5, 0.0, 255.0));
}

// In place.
template <class Pixel>
void flip(Pixel* image, const PlaneShape& shape, bool left_right, bool up_down) {
    const auto width = static_cast<std::ptrdiff_t>(shape.width);
    for (int c = 0; c < shape.channels; ++c) {
        Pixel* plane = image + static_cast<std::size_t>(c) * shape.pixels();
        if (left_right)
            for (int y = 0; y < shape.height; ++y)
                std::reverse(plane + y * width, plane + (y + 1) * width);
        if (up_down)
            for (int top = 0, bottom = shape.height - 1; top < bottom; ++top, --bottom)
                std::swap_ranges(plane + top * width, plane + (top + 1) * width,
                                 plane + bottom * width);
    }
}

// to[y][x] = from[y + down][x + right], as far as there is such a pixel.
template <class Pixel>
void shift(const Pixel* from, Pixel* to, const PlaneShape& shape, int down, int right,
           const Fill& fill) {
    const auto empty = pixel_of<Pixel>(fill.value);
    const auto width = static_cast<std::size_t>(shape.width);
    const int first = std::clamp(-right, 0, shape.width);  // columns that lie in the image
    const int last = std::clamp(shape.width - right, first, shape.width);
    for (int c = 0; c < shape.channels; ++c, from += shape.pixels())
        for (int y = 0; y < shape.height; ++y, to += width) {
            const int row = filled_position(y + down, shape.height, fill.mode);
            if (row < 0) {
                std::fill_n(to, width, empty);
                continue;
            }
            const Pixel* source = from + static_cast<std::size_t>(row) * width;
            const auto outside = [&](int x) {
                const int column = filled_position(x + right, shape.width, fill.mode);
                to[x] = column < 0 ? empty : source[column];
            };
            for (int x = 0; x < first; ++x) outside(x);
            if (first < last) std::copy_n(source + first + right, last - first, to + first);
            for (int x = last; x < shape.width; ++x) outside(x);
        }
}

// In place, a square about (y, x).
template <class Pixel>
void cut_out(Pixel* image, const PlaneShape& shape, int y, int x, int size, double fill_value) {
    const int top = std::max(y - size / 2, 0), left = std::max(x - size / 2, 0);
    const int bottom = std::min(y - size / 2 + size, shape.height);
    const int right = std::min(x - size / 2 + size, shape.width);
    for (int c = 0; c < shape.channels; ++c, image += shape.pixels())
        for (int row = top; row < bottom && left < right; ++row)
            std::fill_n(image + static_cast<std::ptrdiff_t>(row) * shape.width + left, right - left,
                        pixel_of<Pixel>(fill_value));
}

}  // namespace lockstep::trainer
