#include "trainer/augmentation/augmentation_grid.hpp"

#include <algorithm>
#include <cmath>

#include "trainer/augmentation/augmentation.hpp"

namespace lockstep::trainer {

namespace {

constexpr int kGap = 2;  // white pixels between images
constexpr int kGapBehindOriginal = 3 * kGap;

class Canvas {
public:
    Canvas(const Shape& image, int rows, int columns) : image_(image) {
        grid_.width = columns * (image.width + kGap) + kGapBehindOriginal;
        grid_.height = rows * (image.height + kGap) + kGap;
        grid_.pixels.assign(
            static_cast<std::size_t>(grid_.width) * static_cast<std::size_t>(grid_.height) * 3,
            255);
    }

    template <class Pixel>
    void draw(const Pixel* planes, int row, int column) {
        const int top = kGap + row * (image_.height + kGap);
        const int left =
            kGap + column * (image_.width + kGap) + (column > 0 ? kGapBehindOriginal - kGap : 0);
        const auto plane = static_cast<std::size_t>(image_.height * image_.width);
        for (int y = 0; y < image_.height; ++y)
            for (int x = 0; x < image_.width; ++x)
                for (int colour = 0; colour < 3; ++colour) {
                    const int channel = image_.channels >= 3 ? colour : 0;
                    const auto at = static_cast<std::size_t>(channel) * plane +
                                    static_cast<std::size_t>(y * image_.width + x);
                    grid_.pixels[static_cast<std::size_t>(((top + y) * grid_.width + left + x) * 3 +
                                                          colour)] = byte_of(planes[at]);
                }
    }
    AugmentationGrid take() { return std::move(grid_); }

private:
    static std::uint8_t byte_of(std::uint8_t value) { return value; }
    static std::uint8_t byte_of(float value) {
        return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0F, 255.0F)));
    }

    Shape image_;
    AugmentationGrid grid_;
};

}  // namespace

AugmentationGrid augmentation_grid(const SampleSet& samples, const Shape& shape,
                                   std::span<const AugmentationConfig> changes, std::uint64_t seed,
                                   int images, int epochs) {
    const int rows = static_cast<int>(std::min<std::int64_t>(images, samples.count()));
    Canvas canvas(shape, rows, epochs + 1);
    Augmentation augmentation(changes, shape, seed);
    for (int row = 0; row < rows; ++row) {
        const auto sample = static_cast<std::uint32_t>(row);
        canvas.draw(samples.pixels_of(sample, augmentation.image_size()), row, 0);
        for (int epoch = 1; epoch <= epochs; ++epoch) {
            augmentation.of(samples, sample, epoch).visit([&](const auto* planes) {
                canvas.draw(planes, row, epoch);
            });
        }
    }
    return canvas.take();
}

}  // namespace lockstep::trainer
