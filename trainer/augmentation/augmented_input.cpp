#include "trainer/augmentation/augmented_input.hpp"

#include "trainer/data/batch_input.hpp"

namespace lockstep::trainer {

void write_augmented_input(const SampleSet& samples, std::span<const std::uint32_t> which,
                           Augmentation& augmentation, int epoch, const PixelScale& scale,
                           const Layout& layout, float* input) {
    for (const std::uint32_t sample : which) {
        augmentation.of(samples, sample, epoch).visit([&](const auto* planes) {
            write_image(planes, scale, layout, input);
        });
        input += layout.sample_size();
    }
}

}  // namespace lockstep::trainer
