// What each change of training images costs, microseconds an image: the least of the rounds.
//
//     build/benchmarks/augmentation [rounds: 100]

#include "trainer/augmentation/augmentation.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <utility>
#include <vector>

namespace {

using namespace lockstep::trainer;

constexpr std::uint32_t kImages = 200;  // of a round

double microseconds(const AugmentationConfig& change, const Shape& shape, int rounds) {
    const ImageSet images{
        PixelArray(std::vector<std::uint8_t>(kImages * static_cast<std::size_t>(shape.size()), 7)),
        std::vector<Label>(kImages)};
    SampleSet samples{&images, std::vector<std::uint32_t>(kImages), images.labels};
    for (std::uint32_t i = 0; i < kImages; ++i) samples.indices[i] = i;
    Augmentation augmentation(std::vector{change}, shape, 1);
    double least = std::numeric_limits<double>::infinity();
    for (int round = 1; round <= rounds; ++round) {
        const auto start = std::chrono::steady_clock::now();
        for (std::uint32_t i = 0; i < kImages; ++i) augmentation.of(samples, i, round);
        const std::chrono::duration<double, std::micro> time =
            std::chrono::steady_clock::now() - start;
        least = std::min(least, time.count() / kImages);
    }
    return least;
}

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 100;
    const std::vector<std::pair<const char*, AugmentationConfig>> changes{
        {"random_flip", RandomFlipConfig{}},
        {"random_crop", RandomCropConfig{4, {}}},
        {"random_translation", RandomTranslationConfig{{-0.1, 0.1}, {-0.1, 0.1}, {}}},
        {"random_rotation", RandomRotationConfig{{-0.1, 0.1}, {}}},
        {"random_zoom", RandomZoomConfig{{-0.2, 0.2}, {}, true, {}}},
        {"random_brightness", RandomBrightnessConfig{{-0.2, 0.2}}},
        {"random_contrast", RandomContrastConfig{{0.8, 1.2}}},
        {"cutout", CutoutConfig{12, 0.0}},
        {"mixup", MixupConfig{}}};
    std::printf("| change | 32x32x3 | 28x28x1 |\n| --- | --- | --- |\n");
    for (const auto& [name, change] : changes)
        std::printf("| `%s` | %.2f | %.2f |\n", name,
                    microseconds(change, {32, 32, 3, false}, rounds),
                    microseconds(change, {28, 28, 1, false}, rounds));
    return 0;
}
