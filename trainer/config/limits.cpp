#include "trainer/config/limits.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace lockstep::trainer {
namespace {

std::int64_t padded(std::int64_t channels) {
    return (channels + kWidestBlock - 1) / kWidestBlock * kWidestBlock;
}

// Values of one sample; a vector is not padded, but for what a flatten found in its image.
double values_of(const Shape& shape) {
    const auto channels =
        static_cast<double>(shape.is_flat ? shape.channels : padded(shape.channels));
    return static_cast<double>(shape.height) * static_cast<double>(shape.width) * channels;
}

// In double, which cannot overflow. The last two extents of a kernel are channels, or features.
double values_of(const ParameterShape& parameter) {
    double values = 1.0;
    const bool is_kernel = parameter.shape.size() == 4;
    for (std::size_t i = 0; i < parameter.shape.size(); ++i) {
        const std::int64_t extent = parameter.shape[i];
        values *= static_cast<double>(is_kernel && i >= 2 ? padded(extent) : extent);
    }
    return values;
}

}  // namespace

std::optional<std::string> too_large(const LayerShape& layer) {
    constexpr auto kMost = static_cast<double>(kMostValues);
    for (const ParameterShape& parameter : layer.parameters)
        if (values_of(parameter) > kMost)
            return fmt::format(
                "its {} has {:.3g} weights, padded to whole vectors; {} are the most",
                parameter.name, values_of(parameter), kMostValues);
    if (values_of(layer.output) > kMost)
        return fmt::format("its output has {:.3g} values, padded to whole vectors; {} are the most",
                           values_of(layer.output), kMostValues);
    return std::nullopt;
}

std::optional<std::string> too_many_places(std::int64_t height, std::int64_t width) {
    if (height * width <= kMostPlaces) return std::nullopt;
    return fmt::format("its pool covers {}x{} pixels; {} are the most", height, width, kMostPlaces);
}

void require_countable(double values, const char* what) {
    if (values <= static_cast<double>(kMostValues)) return;
    throw std::length_error(
        fmt::format("{} would hold {:.3g} values; {} are the most: smaller layers, "
                    "a smaller batch or more shards need less",
                    what, values, kMostValues));
}

}  // namespace lockstep::trainer
