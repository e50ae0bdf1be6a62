// Pixels on their way into a network: scaled exactly, each in its place.
#include "trainer/data/batch_input.hpp"

#include <numeric>
#include <vector>

#include "tests/support/catch.hpp"
#include "trainer/data/pixel_scale.hpp"

using namespace lockstep::trainer;

namespace {

constexpr Shape kImage{4, 8, 3, false};  // 96 pixels; four images hold every byte and more

struct Images {
    ImageSet set;
    SampleSet samples;  // of every image, the last first
};

Images all_bytes() {
    Images images;
    std::vector<std::uint8_t> pixels;
    for (int i = 0; i < 4 * 96; ++i) pixels.push_back(static_cast<std::uint8_t>(i));
    images.set.pixels = std::move(pixels);
    images.set.labels.assign(4, 0);
    images.samples.indices = {3, 2, 1, 0};
    images.samples.labels.assign(4, 0);
    return images;
}

}  // namespace

TEST_CASE("every pixel is x / 255 in float32, in any layout, and padding is not touched",
          "[trainer][data]") {
    Images images = all_bytes();
    images.samples.images = &images.set;
    const PixelScale scale = pixel_scale(Scale::unit, images.samples, kImage);
    const std::vector<std::uint32_t> which{1, 3, 0, 2};
    for (const Layout& layout : {planes(kImage), interleaved(kImage), blocked(kImage, 16)}) {
        CAPTURE(layout.block);
        std::vector<float> input(which.size() * layout.sample_size(), 0.0F);
        write_input(images.samples, which, scale, layout, input.data());
        std::vector<float> expected(input.size(), 0.0F);
        for (std::size_t n = 0; n < which.size(); ++n) {
            const std::size_t image = images.samples.indices[which[n]];
            for (int c = 0; c < 3; ++c)
                for (int h = 0; h < 4; ++h)
                    for (int w = 0; w < 8; ++w) {
                        const auto pixel =
                            images.set
                                .pixels[image * 96 + static_cast<std::size_t>((c * 4 + h) * 8 + w)];
                        expected[n * layout.sample_size() + layout.position(h, w, c)] =
                            static_cast<float>(pixel) / 255.0F;
                    }
        }
        CHECK(input == expected);
    }
}

TEST_CASE("an image of any size has the same values in every layout", "[trainer][data]") {
    // Around the 256 pixels that are scaled at once.
    for (const Shape& shape :
         {Shape{1, 1, 3, false}, Shape{15, 17, 2, false}, Shape{16, 16, 3, false},
          Shape{1, 257, 3, false}, Shape{23, 29, 17, false}}) {
        CAPTURE(shape.height, shape.width, shape.channels);
        Images images;
        std::vector<std::uint8_t> pixels;
        for (std::int64_t i = 0; i < shape.size(); ++i)
            pixels.push_back(static_cast<std::uint8_t>(i * i % 251));
        images.set.pixels = std::move(pixels);
        images.samples.indices = {0};
        images.samples.images = &images.set;
        const PixelScale scale = pixel_scale(Scale::unit, images.samples, shape);
        for (const Layout& layout :
             {planes(shape), interleaved(shape), blocked(shape, 8), blocked(shape, 16)}) {
            std::vector<float> input(layout.sample_size(), 0.0F), expected(input);
            write_input(images.samples, std::vector<std::uint32_t>{0}, scale, layout, input.data());
            const std::uint8_t* pixel = images.set.pixels.data();
            for (int c = 0; c < shape.channels; ++c)
                for (int h = 0; h < shape.height; ++h)
                    for (int w = 0; w < shape.width; ++w)
                        expected[layout.position(h, w, c)] = static_cast<float>(*pixel++) / 255.0F;
            CHECK(input == expected);
        }
    }
}

TEST_CASE("raw pixels stay as they are", "[trainer][data]") {
    Images images = all_bytes();
    images.samples.images = &images.set;
    std::vector<float> input(96), expected(96);
    write_input(images.samples, std::vector<std::uint32_t>{3},
                pixel_scale(Scale::raw, images.samples, kImage), planes(kImage), input.data());
    std::iota(expected.begin(), expected.end(), 0.0F);
    CHECK(input == expected);
}

TEST_CASE("standard scale: mean zero and deviation one in each channel", "[trainer][data]") {
    Images images = all_bytes();
    images.samples.images = &images.set;
    std::vector<float> input(4 * 96);
    write_input(images.samples, std::vector<std::uint32_t>{0, 1, 2, 3},
                pixel_scale(Scale::standard, images.samples, kImage), planes(kImage), input.data());
    for (std::size_t c = 0; c < 3; ++c) {
        double sum = 0.0, squares = 0.0;
        for (std::size_t n = 0; n < 4; ++n)
            for (std::size_t i = 0; i < 32; ++i) {
                const auto value = static_cast<double>(input[(n * 3 + c) * 32 + i]);
                sum += value;
                squares += value * value;
            }
        CHECK(sum / 128.0 == Approx(0.0).margin(1e-5));
        CHECK(squares / 128.0 == Approx(1.0).epsilon(1e-5));
    }
}
