#include "trainer/kernels/padding.hpp"

namespace lockstep::trainer {

std::vector<float> channel_mask(const Layout& layout) {
    std::vector<float> mask(static_cast<std::size_t>(layout.padded_channels()), 0.0F);
    for (const std::uint32_t position : feature_positions(layout)) mask[position] = 1.0F;
    return mask;
}

PaddingPlaces::PaddingPlaces(const Layout& layout) : sample_size_(layout.sample_size()) {
    const std::vector<float> mask = channel_mask(layout);
    const auto pixels = static_cast<std::size_t>(layout.pixels());
    const auto block = static_cast<std::size_t>(layout.block);
    for (std::size_t c = 0; c < mask.size(); ++c)
        for (std::size_t pixel = 0; mask[c] == 0.0F && pixel < pixels; ++pixel)
            positions_.push_back(
                static_cast<std::uint32_t>((c / block * pixels + pixel) * block + c % block));
}

void PaddingPlaces::clear(float* values, int samples) const {
    if (is_empty()) return;
    for (int n = 0; n < samples; ++n, values += sample_size_)
        for (const std::uint32_t position : positions_) values[position] = 0.0F;
}

}  // namespace lockstep::trainer
