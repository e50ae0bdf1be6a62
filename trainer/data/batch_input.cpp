#include "trainer/data/batch_input.hpp"

#include "trainer/kernels/elementwise.hpp"

namespace lockstep::trainer {

namespace {

// One image, stored as planes, into any layout.
void write_image(const std::uint8_t* pixels, const PixelScale& scale, const Layout& layout,
                 float* input) {
    for (int c = 0; c < layout.channels; ++c) {
        const auto channel = static_cast<std::size_t>(c);
        for (int h = 0; h < layout.height; ++h)
            for (int w = 0; w < layout.width; ++w, ++pixels)
                scale_pixels(pixels, scale.offset[channel], scale.divisor[channel],
                             input + layout.position(h, w, c), 1);
    }
}

}  // namespace

void write_input(const SampleSet& samples, std::span<const std::uint32_t> which,
                 const PixelScale& scale, const Layout& layout, float* input) {
    const auto plane = static_cast<std::size_t>(layout.pixels());
    const auto image = plane * static_cast<std::size_t>(layout.channels);
    for (const std::uint32_t sample : which) {
        const std::uint8_t* pixels =
            samples.images->pixels.data() + samples.indices[sample] * image;
        if (layout.block == 1) {  // planes on both sides
            for (std::size_t c = 0; c < scale.offset.size(); ++c)
                scale_pixels(pixels + c * plane, scale.offset[c], scale.divisor[c],
                             input + c * plane, plane);
        } else {
            write_image(pixels, scale, layout, input);
        }
        input += layout.sample_size();
    }
}

}  // namespace lockstep::trainer
