// Resizing against the definitions, computed another way.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "trainer/data/image_file.hpp"

namespace {

using namespace lockstep::trainer;

Image random_image(int height, int width, std::uint64_t seed) {
    lockstep::tests::RandomValues random(seed);
    Image image{height, width, {}};
    for (int i = 0; i < height * width * 3; ++i)
        image.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
    return image;
}

int pixel(const Image& image, int y, int x, int channel) {
    return image.pixels[static_cast<std::size_t>((y * image.width + x) * 3 + channel)];
}

// The weight of pixel `j` for pixel `i` of the result: a tent about the centre, which stays between
// the first and the last pixel's centres.
double tent(int i, int j, int from, int to) {
    const double centre = std::clamp((i + 0.5) * from / to, 0.5, from - 0.5);
    return std::max(0.0, 1.0 - std::abs(centre - (j + 0.5)));
}

double bilinear(const Image& image, int y, int x, int channel, int height, int width) {
    double sum = 0.0;
    for (int j = 0; j < image.height; ++j)
        for (int k = 0; k < image.width; ++k)
            sum += tent(y, j, image.height, height) * tent(x, k, image.width, width) *
                   pixel(image, j, k, channel);
    return sum;
}

// Which pixel covers the centre of pixel `i` of the result: j / from <= (i + 1/2) / to.
int covering(int i, int from, int to) {
    int j = 0;
    while (2 * to * (j + 1) <= (2 * i + 1) * from) ++j;
    return j;
}

Image part_of(const Image& image, int top, int left, int height, int width) {
    Image part{height, width, {}};
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            for (int c = 0; c < 3; ++c)
                part.pixels.push_back(
                    static_cast<std::uint8_t>(pixel(image, top + y, left + x, c)));
    return part;
}

std::vector<std::uint8_t> planes(const Image& image, int height, int width,
                                 const Resizing& resizing) {
    return image_planes(image, {.height = height, .width = width, .channels = 3}, resizing);
}

struct Case {
    int from_height, from_width, height, width;
};
const std::vector<Case> kCases{
    {7, 5, 3, 4}, {3, 4, 9, 8}, {1, 6, 4, 6}, {8, 8, 8, 8}, {10, 3, 1, 1}};

}  // namespace

TEST_CASE("resizing: bilinear and nearest by their definitions", "[image_folder]") {
    for (const auto& [from_height, from_width, height, width] : kCases) {
        CAPTURE(from_height, from_width, height, width);
        const Image image = random_image(from_height, from_width, 3);
        const auto smooth = planes(image, height, width, {});
        const auto nearest = planes(image, height, width, {Interpolation::nearest, false});
        std::size_t place = 0;
        for (int c = 0; c < 3; ++c)
            for (int y = 0; y < height; ++y)
                for (int x = 0; x < width; ++x, ++place) {
                    const double exact = bilinear(image, y, x, c, height, width);
                    CHECK(std::abs(smooth[place] - exact) <= 0.5 + 1e-9);
                    CHECK(nearest[place] == pixel(image, covering(y, from_height, height),
                                                  covering(x, from_width, width), c));
                }
    }
}

// Heights and widths that smart_resize() of Keras crops to: int(float(width * h) / w) and so on.
TEST_CASE("resizing: crop_to_aspect_ratio takes the middle first", "[image_folder]") {
    struct Crop {
        int height, width;             // of the image
        int to_height, to_width;       // of the result
        int top, left, rows, columns;  // of what is left
    };
    for (const Crop& crop : {Crop{6, 10, 3, 3, 0, 2, 6, 6}, Crop{10, 6, 3, 3, 2, 0, 6, 6},
                             Crop{7, 10, 2, 3, 0, 0, 6, 10}, Crop{9, 4, 5, 5, 2, 0, 4, 4},
                             Crop{1, 50, 100, 2, 0, 24, 1, 1}, Crop{5, 5, 8, 8, 0, 0, 5, 5}}) {
        CAPTURE(crop.height, crop.width, crop.to_height, crop.to_width);
        const Image image = random_image(crop.height, crop.width, 5);
        const Image middle = part_of(image, crop.top, crop.left, crop.rows, crop.columns);
        for (const Interpolation way : {Interpolation::bilinear, Interpolation::nearest})
            CHECK(planes(image, crop.to_height, crop.to_width, {way, true}) ==
                  planes(middle, crop.to_height, crop.to_width, {way, false}));
    }
}
