#include "trainer/data/batch_input.hpp"

#include <algorithm>
#include <array>

#include "trainer/kernels/elementwise.hpp"

namespace lockstep::trainer {

namespace {

// Pixels that are scaled at once on their way into a layout: they and their places stay in L1.
constexpr std::size_t kPixelsAtOnce = 256;

void scale(const std::uint8_t* pixels, float offset, float divisor, float* values,
           std::size_t count) {
    scale_pixels(pixels, offset, divisor, values, count);
}
void scale(const float* pixels, float offset, float divisor, float* values, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) values[i] = (pixels[i] - offset) / divisor;
}

// One channel, stored as a plane, into pixels that are `block` floats apart.
template <class Pixel>
void write_plane(const Pixel* plane, std::size_t pixels, float offset, float divisor,
                 std::size_t block, float* input) {
    std::array<float, kPixelsAtOnce> values;
    for (std::size_t begin = 0; begin < pixels; begin += kPixelsAtOnce) {
        const std::size_t count = std::min(kPixelsAtOnce, pixels - begin);
        scale(plane + begin, offset, divisor, values.data(), count);
        for (std::size_t i = 0; i < count; ++i) input[(begin + i) * block] = values[i];
    }
}

// One image, stored as planes, into any layout.
template <class Pixel>
void write_planes(const Pixel* pixels, const PixelScale& factors, const Layout& layout,
                  float* input) {
    const auto plane = static_cast<std::size_t>(layout.pixels());
    const auto block = static_cast<std::size_t>(layout.block);
    for (int c = 0; c < layout.channels; ++c, pixels += plane) {
        const auto channel = static_cast<std::size_t>(c);
        float* first = input + layout.position(0, 0, c);
        if (block == 1)
            scale(pixels, factors.offset[channel], factors.divisor[channel], first, plane);
        else
            write_plane(pixels, plane, factors.offset[channel], factors.divisor[channel], block,
                        first);
    }
}

}  // namespace

void write_image(const std::uint8_t* pixels, const PixelScale& scale, const Layout& layout,
                 float* input) {
    write_planes(pixels, scale, layout, input);
}

void write_image(const float* pixels, const PixelScale& scale, const Layout& layout, float* input) {
    write_planes(pixels, scale, layout, input);
}

void write_input(const SampleSet& samples, std::span<const std::uint32_t> which,
                 const PixelScale& scale, const Layout& layout, float* input) {
    const auto plane = static_cast<std::size_t>(layout.pixels());
    const auto image = plane * static_cast<std::size_t>(layout.channels);
    for (const std::uint32_t sample : which) {
        write_image(samples.pixels_of(sample, image), scale, layout, input);
        input += layout.sample_size();
    }
}

}  // namespace lockstep::trainer
