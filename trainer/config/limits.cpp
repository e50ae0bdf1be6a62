#include "trainer/config/limits.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace lockstep::trainer {
namespace {

std::int64_t padded(std::int64_t channels) {
    return (channels + kWidestBlock - 1) / kWidestBlock * kWidestBlock;
}

// In double, which cannot overflow. The last two extents of a convolution's kernel are channels; a
// dense one has a row for each value of its input, padding included.
double values_of(const ParameterShape& parameter, const LayerShape& layer) {
    if (parameter.shape.size() == 2)
        return static_cast<double>(layer.padded_input) * static_cast<double>(parameter.shape[1]);
    double values = 1.0;
    const bool is_kernel = parameter.shape.size() == 4;
    for (std::size_t i = 0; i < parameter.shape.size(); ++i) {
        const std::int64_t extent = parameter.shape[i];
        values *= static_cast<double>(is_kernel && i >= 2 ? padded(extent) : extent);
    }
    return values;
}

}  // namespace

std::int64_t padded_values(const Shape& shape) {
    const std::int64_t channels = shape.is_flat ? shape.channels : padded(shape.channels);
    return std::int64_t{shape.height} * shape.width * channels;
}

std::optional<std::string> too_large(const LayerShape& layer) {
    constexpr auto kMost = static_cast<double>(kMostValues);
    for (const ParameterShape& parameter : layer.parameters) {
        const double values = values_of(parameter, layer);
        if (values > kMost)
            return fmt::format(
                "its {} has {:.3g} weights, padded to whole vectors; {} are the most",
                parameter.name, values, kMostValues);
    }
    if (const std::int64_t values = padded_values(layer.output); values > kMostValues)
        return fmt::format("its output has {:.3g} values, padded to whole vectors; {} are the most",
                           static_cast<double>(values), kMostValues);
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
