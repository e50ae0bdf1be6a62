#include "trainer/augmentation/augmented_input.hpp"

#include "trainer/data/batch_input.hpp"

namespace lockstep::trainer {

void write_augmented_input(const SampleSet& samples, std::span<const std::uint32_t> which,
                           Augmentation& augmentation, int epoch, const PixelScale& scale,
                           const Layout& layout, float* input, std::span<Mix> mixes) {
    for (std::size_t n = 0; n < which.size(); ++n) {
        const AugmentedImage image = augmentation.of(samples, which[n], epoch);
        image.visit([&](const auto* planes) { write_image(planes, scale, layout, input); });
        if (!mixes.empty()) mixes[n] = image.mix;
        input += layout.sample_size();
    }
}

}  // namespace lockstep::trainer
