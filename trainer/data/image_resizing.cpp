#include "trainer/data/image_resizing.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep::trainer {

namespace {

// The part of an image that is seen.
struct Window {
    int top = 0;
    int left = 0;
    int height = 0;
    int width = 0;
};

// side x to / from, rounded down, in 1..most.
int in_ratio(int side, int to, int from, int most) {
    const std::int64_t scaled = std::int64_t{side} * to / from;
    return static_cast<int>(std::clamp<std::int64_t>(scaled, 1, most));
}

Window middle_of(const Image& image, int height, int width) {
    Window window;
    window.height = in_ratio(image.width, height, width, image.height);
    window.width = in_ratio(image.height, width, height, image.width);
    window.top = (image.height - window.height) / 2;
    window.left = (image.width - window.width) / 2;
    return window;
}

// Where a pixel of the result lies between two of the image, along one axis.
struct Tap {
    int low = 0;
    int high = 0;
    double weight = 0.0;  // of `high`
};

std::vector<Tap> taps(int first, int from, int to, Interpolation interpolation) {
    std::vector<Tap> result;
    for (int i = 0; i < to; ++i) {
        if (interpolation == Interpolation::nearest) {
            const auto place = static_cast<int>((2 * std::int64_t{i} + 1) * from / (2 * to));
            result.push_back({first + place, first + place, 0.0});
            continue;
        }
        const double centre = (i + 0.5) * from / to - 0.5;
        const double clamped = std::clamp(centre, 0.0, from - 1.0);
        const int low = static_cast<int>(clamped);
        result.push_back({first + low, first + std::min(low + 1, from - 1), clamped - low});
    }
    return result;
}

}  // namespace

Image resized(const Image& image, int height, int width, const Resizing& resizing) {
    Image result{height, width, {}};
    result.pixels.reserve(static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * 3);
    const Window window = resizing.crop_to_aspect_ratio ? middle_of(image, height, width)
                                                        : Window{0, 0, image.height, image.width};
    const std::vector<Tap> rows = taps(window.top, window.height, height, resizing.interpolation);
    const std::vector<Tap> columns = taps(window.left, window.width, width, resizing.interpolation);
    const auto at = [&](int y, int x, std::size_t c) {
        const auto place = static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) +
                           static_cast<std::size_t>(x);
        return static_cast<double>(image.pixels[place * 3 + c]);
    };
    for (const Tap& y : rows) {
        for (const Tap& x : columns) {
            for (std::size_t c = 0; c < 3; ++c) {
                const double top = std::lerp(at(y.low, x.low, c), at(y.low, x.high, c), x.weight);
                const double bottom =
                    std::lerp(at(y.high, x.low, c), at(y.high, x.high, c), x.weight);
                const double value = std::lerp(top, bottom, y.weight);
                result.pixels.push_back(static_cast<std::uint8_t>(std::floor(value + 0.5)));
            }
        }
    }
    return result;
}

}  // namespace lockstep::trainer
