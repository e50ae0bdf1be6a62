// Changed images against plain restatements of what each change says, and what they depend on.
#include "trainer/augmentation/augmentation.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "trainer/augmentation/augmentation_grid.hpp"
#include "trainer/augmentation/resampling.hpp"

using namespace lockstep::trainer;

namespace {

const Shape kImage{5, 7, 3, false};
const PlaneShape kPlanes{5, 7, 3};
constexpr std::uint64_t kSeed = 11;

// Every pixel its own number.
std::vector<std::uint8_t> counted_image(const PlaneShape& shape = kPlanes) {
    std::vector<std::uint8_t> image(shape.values());
    for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<std::uint8_t>(i + 1);
    return image;
}

std::size_t at(const PlaneShape& shape, int c, int y, int x) {
    return static_cast<std::size_t>((c * shape.height + y) * shape.width + x);
}

std::vector<float> changed(std::vector<AugmentationConfig> changes, int epoch, std::uint32_t index,
                           std::uint64_t seed = kSeed) {
    Augmentation augmentation(changes, kImage, seed);
    const auto image = counted_image();
    const AugmentedImage result = augmentation.of(image.data(), epoch, index);
    if (result.bytes != nullptr) return {result.bytes, result.bytes + image.size()};
    return {result.values, result.values + image.size()};
}

std::vector<float> unchanged() {
    const auto image = counted_image();
    return {image.begin(), image.end()};
}

std::vector<float> flipped(const std::vector<float>& image, bool left_right, bool up_down) {
    std::vector<float> result(image.size());
    for (int c = 0; c < kPlanes.channels; ++c)
        for (int y = 0; y < kPlanes.height; ++y)
            for (int x = 0; x < kPlanes.width; ++x)
                result[at(kPlanes, c, y, x)] =
                    image[at(kPlanes, c, up_down ? kPlanes.height - 1 - y : y,
                             left_right ? kPlanes.width - 1 - x : x)];
    return result;
}

// The padded row, written out, as the comments of FillMode draw it.
std::string padded(const std::string& row, int padding, FillMode mode) {
    const std::string back(row.rbegin(), row.rend());
    std::string long_row = row;
    const auto tail = [&](const std::string& text) {
        return text.substr(text.size() - static_cast<std::size_t>(padding));
    };
    const auto head = [&](const std::string& text) {
        return text.substr(0, static_cast<std::size_t>(padding));
    };
    const auto letters = [&](char letter) {
        return std::string(static_cast<std::size_t>(padding), letter);
    };
    switch (mode) {
        case FillMode::constant:
            return letters('k') + row + letters('k');
        case FillMode::nearest:
            return letters(row.front()) + row + letters(row.back());
        case FillMode::reflect:
            return tail(back) + row + head(back);
        case FillMode::mirror:
            return tail(back.substr(0, back.size() - 1)) + row + head(back.substr(1));
        case FillMode::wrap:
            return tail(row) + row + head(row);
    }
    return {};
}

}  // namespace

TEST_CASE("places beyond the ends are those that Keras draws", "[augmentation]") {
    const std::string row = "abcdefg";
    for (const FillMode mode : {FillMode::constant, FillMode::nearest, FillMode::reflect,
                                FillMode::mirror, FillMode::wrap}) {
        const int padding = 6;
        const std::string expected = padded(row, padding, mode);
        for (int i = 0; i < static_cast<int>(expected.size()); ++i) {
            const int place = filled_position(i - padding, static_cast<int>(row.size()), mode);
            CAPTURE(static_cast<int>(mode), i);
            CHECK((place < 0 ? 'k' : row[static_cast<std::size_t>(place)]) ==
                  expected[static_cast<std::size_t>(i)]);
        }
    }
    for (const FillMode mode : {FillMode::reflect, FillMode::mirror, FillMode::wrap})
        for (int i = -9; i < 9; ++i) CHECK(filled_position(i, 1, mode) == 0);
}

TEST_CASE("a flip is drawn by epoch and image, each side half of the time", "[augmentation]") {
    int counts[4] = {};
    for (std::uint32_t index = 0; index < 400; ++index) {
        const auto image = changed({RandomFlipConfig{}}, 3, index);
        int kinds = 0;
        for (int kind = 0; kind < 4; ++kind)
            if (image == flipped(unchanged(), kind % 2 != 0, kind / 2 != 0)) {
                ++counts[kind];
                ++kinds;
            }
        CHECK(kinds == 1);
    }
    for (const int count : counts) CHECK(std::abs(count - 100) < 45);  // 5 standard deviations
    // One side alone.
    for (std::uint32_t index = 0; index < 20; ++index) {
        const auto horizontal = changed({RandomFlipConfig{FlipMode::horizontal}}, 1, index);
        CHECK((horizontal == unchanged() || horizontal == flipped(unchanged(), true, false)));
        const auto vertical = changed({RandomFlipConfig{FlipMode::vertical}}, 1, index);
        CHECK((vertical == unchanged() || vertical == flipped(unchanged(), false, true)));
    }
}

TEST_CASE("an alternating flip shows each side in every second epoch", "[augmentation]") {
    const AugmentationConfig flip = RandomFlipConfig{FlipMode::alternating};
    int flipped_first = 0;
    for (std::uint32_t index = 0; index < 100; ++index) {
        const bool first = changed({flip}, 1, index) == flipped(unchanged(), true, false);
        flipped_first += first;
        for (int epoch = 2; epoch < 5; ++epoch)
            CHECK(changed({flip}, epoch, index) ==
                  flipped(unchanged(), first == (epoch % 2 == 1), false));
    }
    CHECK(std::abs(flipped_first - 50) < 25);
}

TEST_CASE("a crop is a window of the padded image, every one of them", "[augmentation]") {
    for (const FillMode mode : {FillMode::constant, FillMode::reflect, FillMode::mirror}) {
        const int padding = 2;
        const auto window = [&](int down, int right) {
            std::vector<float> image(kPlanes.values());
            for (int c = 0; c < kPlanes.channels; ++c)
                for (int y = 0; y < kPlanes.height; ++y)
                    for (int x = 0; x < kPlanes.width; ++x) {
                        const int row = filled_position(y + down, kPlanes.height, mode);
                        const int column = filled_position(x + right, kPlanes.width, mode);
                        image[at(kPlanes, c, y, x)] =
                            row < 0 || column < 0 ? 9.0F : unchanged()[at(kPlanes, c, row, column)];
                    }
            return image;
        };
        std::set<std::pair<int, int>> seen;
        for (std::uint32_t index = 0; index < 300; ++index) {
            const auto image = changed({RandomCropConfig{padding, {mode, 9.0}}}, 1, index);
            bool is_found = false;
            for (int down = -padding; down <= padding; ++down)
                for (int right = -padding; right <= padding; ++right)
                    if (image == window(down, right)) {
                        seen.insert({down, right});
                        is_found = true;
                    }
            CHECK(is_found);
        }
        CHECK(seen.size() == 25);
    }
    // Far more padding than image.
    for (std::uint32_t index = 0; index < 30; ++index)
        CHECK(changed({RandomCropConfig{20, {FillMode::wrap, 0.0}}}, 1, index).size() ==
              kPlanes.values());
}

TEST_CASE("a cutout is a square about some pixel, cut off at the border", "[augmentation]") {
    for (const int size : {1, 2, 3, 20}) {
        std::set<std::size_t> numbers;  // of pixels that were cut out
        for (std::uint32_t index = 0; index < 60; ++index) {
            const auto image = changed({CutoutConfig{size, 255.0}}, 1, index);
            int top = 99, bottom = -1, left = 99, right = -1, cut = 0;
            for (int y = 0; y < kPlanes.height; ++y)
                for (int x = 0; x < kPlanes.width; ++x) {
                    if (image[at(kPlanes, 0, y, x)] != 255.0F) {
                        CHECK(image[at(kPlanes, 2, y, x)] == unchanged()[at(kPlanes, 2, y, x)]);
                        continue;
                    }
                    CHECK(image[at(kPlanes, 1, y, x)] == 255.0F);
                    ++cut;
                    top = std::min(top, y), bottom = std::max(bottom, y);
                    left = std::min(left, x), right = std::max(right, x);
                }
            CHECK(cut == (bottom - top + 1) * (right - left + 1));
            CHECK(cut >= 1);
            CHECK(bottom - top + 1 <= size);
            CHECK(right - left + 1 <= size);
            numbers.insert(static_cast<std::size_t>(cut));
        }
        CHECK(numbers.contains(static_cast<std::size_t>(std::min(size * size, 35))));
    }
}

TEST_CASE("between pixels: whole turns and steps are exact", "[augmentation]") {
    const PlaneShape square{6, 6, 2};
    const auto bytes = counted_image(square);
    const std::vector<float> image(bytes.begin(), bytes.end());
    const auto resampled = [&](const Affine& affine, FillMode mode = FillMode::reflect) {
        std::vector<float> to(image.size());
        Resampler(square).resample(image.data(), to.data(), affine, {mode, 7.0});
        return to;
    };
    CHECK(resampled({}) == image);
    CHECK(resampled(translation(0.0, 0.0)) == image);
    CHECK(resampled(zoom(1.0, 1.0, square)) == image);
    const auto check = [&](const std::vector<float>& found, const auto& expected) {
        for (int c = 0; c < 2; ++c)
            for (int y = 0; y < 6; ++y)
                for (int x = 0; x < 6; ++x) {
                    CAPTURE(c, y, x);
                    CHECK(found[at(square, c, y, x)] == Approx(expected(c, y, x)).margin(1e-4));
                }
    };
    const auto pixel = [&](int c, int y, int x) { return image[at(square, c, y, x)]; };
    // Down by two and left by one: what was in row 0 stands in row 2.
    check(resampled(translation(2.0, -1.0), FillMode::constant), [&](int c, int y, int x) {
        return y - 2 < 0 || x + 1 > 5 ? 7.0F : pixel(c, y - 2, x + 1);
    });
    // A quarter turn counterclockwise: the right column becomes the top row.
    check(resampled(rotation(0.25, square)),
          [&](int c, int y, int x) { return pixel(c, x, 5 - y); });
    check(resampled(rotation(0.5, square)),
          [&](int c, int y, int x) { return pixel(c, 5 - y, 5 - x); });
    // Half of a step is the mean of two pixels.
    check(resampled(translation(0.0, 0.5)), [&](int c, int y, int x) {
        return (pixel(c, y, x) + pixel(c, y, std::max(x - 1, 0))) / 2.0F;
    });
    // Zoomed in by two, the middle fills the image: a pixel is half a step from the next.
    check(resampled(zoom(0.5, 0.5, square)), [&](int c, int y, int x) {
        const double row = 2.5 + (y - 2.5) / 2.0, column = 2.5 + (x - 2.5) / 2.0;
        return static_cast<float>(c * 36 + row * 6 + column + 1);
    });
}

TEST_CASE("brightness and contrast keep to pixels' range", "[augmentation]") {
    const PlaneShape shape{1, 4, 2};
    const std::vector<float> image{0, 100, 200, 100, 10, 10, 10, 10};
    const auto with = [&](auto change) {
        std::vector<float> result = image;
        change(result.data());
        return result;
    };
    using Pixels = std::vector<float>;
    CHECK(with([&](float* x) { brighten(x, shape, 0.2); }) ==
          Pixels{51, 151, 251, 151, 61, 61, 61, 61});
    CHECK(with([&](float* x) { brighten(x, shape, -0.2); }) == Pixels{0, 49, 149, 49, 0, 0, 0, 0});
    CHECK(with([&](float* x) { change_contrast(x, shape, 0.5); }) ==
          Pixels{50, 100, 150, 100, 10, 10, 10, 10});
    CHECK(with([&](float* x) { change_contrast(x, shape, 3.0); }) ==
          Pixels{0, 100, 255, 100, 10, 10, 10, 10});
}

TEST_CASE("factors are drawn between their bounds", "[augmentation]") {
    float least = 255.0F, most = 0.0F;
    for (std::uint32_t index = 0; index < 200; ++index) {
        const float first = changed({RandomBrightnessConfig{{0.1, 0.3}}}, 1, index)[0] - 1.0F;
        least = std::min(least, first), most = std::max(most, first);
    }
    CHECK(least >= 25.5F);
    CHECK(least < 27.0F);
    CHECK(most <= 76.5F);
    CHECK(most > 75.0F);
}

TEST_CASE("what an image looks like depends on seed, epoch and number alone", "[augmentation]") {
    const std::vector<AugmentationConfig> all{RandomFlipConfig{},
                                              RandomCropConfig{2, {FillMode::mirror, 0.0}},
                                              RandomTranslationConfig{{-0.2, 0.2}, {-0.2, 0.2}, {}},
                                              RandomRotationConfig{{-0.1, 0.1}, {}},
                                              RandomZoomConfig{{-0.2, 0.2}, {}, true, {}},
                                              RandomBrightnessConfig{{-0.1, 0.1}},
                                              RandomContrastConfig{{0.8, 1.2}},
                                              CutoutConfig{2, 0.0}};
    const auto one = changed(all, 4, 17);
    CHECK(changed(all, 4, 17) == one);
    CHECK(changed(all, 5, 17) != one);
    CHECK(changed(all, 4, 18) != one);
    CHECK(changed(all, 4, 17, kSeed + 1) != one);
    // Not on what was asked before, and changes draw apart.
    Augmentation augmentation(all, kImage, kSeed);
    const auto image = counted_image();
    for (std::uint32_t index = 0; index < 17; ++index) augmentation.of(image.data(), 4, index);
    const AugmentedImage again = augmentation.of(image.data(), 4, 17);
    CHECK(std::equal(one.begin(), one.end(), again.values));
    for (const float value : one) CHECK((value >= 0.0F && value <= 255.0F));
    const AugmentationConfig crop = RandomCropConfig{1, {}};
    CHECK(changed({crop, crop}, 1, 1) != changed({crop}, 1, 1));
}

TEST_CASE("the preview shows each image as it is and as epochs see it", "[augmentation]") {
    const auto image = counted_image();
    std::vector<std::uint8_t> two(image);
    two.insert(two.end(), image.rbegin(), image.rend());
    const ImageSet set{PixelArray(two), {0, 1}};
    const SampleSet samples{&set, {1, 0}, {1, 0}};
    const std::vector<AugmentationConfig> changes{RandomFlipConfig{},
                                                  RandomBrightnessConfig{{0.2, 0.2}}};
    const AugmentationGrid grid = augmentation_grid(samples, kImage, changes, kSeed, 5, 3);
    // Two rows, since there are two samples; four columns, the first set apart.
    CHECK(grid.height == 2 + 2 * (kImage.height + 2));
    CHECK(grid.width == 4 * (kImage.width + 2) + 6);
    const auto pixel = [&](int y, int x, int colour) {
        return grid.pixels[static_cast<std::size_t>((y * grid.width + x) * 3 + colour)];
    };
    Augmentation augmentation(changes, kImage, kSeed);
    for (int row = 0; row < 2; ++row)
        for (int column = 0; column < 4; ++column) {
            const std::uint32_t index = row == 0 ? 1 : 0;
            const std::uint8_t* original = two.data() + index * image.size();
            const float* seen =
                column == 0 ? nullptr : augmentation.of(original, column, index).values;
            const int top = 2 + row * (kImage.height + 2);
            const int left = 2 + column * (kImage.width + 2) + (column > 0 ? 4 : 0);
            for (int y = 0; y < kImage.height; ++y)
                for (int x = 0; x < kImage.width; ++x)
                    for (int c = 0; c < 3; ++c) {
                        const std::size_t place = at(kPlanes, c, y, x);
                        const float expected =
                            seen == nullptr ? static_cast<float>(original[place]) : seen[place];
                        CHECK(pixel(top + y, left + x, c) == std::lround(expected));
                    }
        }
    CHECK(pixel(0, 0, 0) == 255);
}
