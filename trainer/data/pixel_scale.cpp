#include "trainer/data/pixel_scale.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace lockstep::trainer {

namespace {

using ValueCounts = std::array<std::int64_t, 256>;  // how often each pixel value occurs

struct Moments {
    double mean;
    double deviation;
};

std::vector<ValueCounts> count_values(const SampleSet& samples, const Shape& shape) {
    const auto channels = static_cast<std::size_t>(shape.channels);
    const std::size_t plane = static_cast<std::size_t>(shape.size()) / channels;
    std::vector<ValueCounts> counts(channels, ValueCounts{});
    for (const std::uint32_t index : samples.indices) {
        const std::uint8_t* pixel = samples.images->pixels.data() + index * channels * plane;
        for (ValueCounts& channel : counts)
            for (std::size_t i = 0; i < plane; ++i) ++channel[*pixel++];
    }
    return counts;
}

Moments moments_of(const ValueCounts& counts) {
    std::int64_t count = 0;
    std::int64_t sum = 0;
    for (std::size_t value = 0; value < counts.size(); ++value) {
        count += counts[value];
        sum += counts[value] * static_cast<std::int64_t>(value);
    }
    const double mean = static_cast<double>(sum) / static_cast<double>(count);
    double squares = 0.0;
    for (std::size_t value = 0; value < counts.size(); ++value) {
        const double distance = static_cast<double>(value) - mean;
        squares += static_cast<double>(counts[value]) * distance * distance;
    }
    return {mean, std::sqrt(squares / static_cast<double>(count))};
}

PixelScale standard_scale(const SampleSet& training, const Shape& shape) {
    PixelScale scale;
    for (const ValueCounts& counts : count_values(training, shape)) {
        const Moments moments = moments_of(counts);
        scale.offset.push_back(static_cast<float>(moments.mean));
        scale.divisor.push_back(moments.deviation > 0.0 ? static_cast<float>(moments.deviation)
                                                        : 1.0F);
    }
    return scale;
}

}  // namespace

PixelScale pixel_scale(Scale scale, const SampleSet& training, const Shape& shape) {
    if (scale == Scale::standard) return standard_scale(training, shape);
    const auto channels = static_cast<std::size_t>(shape.channels);
    return {std::vector<float>(channels, 0.0F),
            std::vector<float>(channels, scale == Scale::unit ? 255.0F : 1.0F)};
}

}  // namespace lockstep::trainer
