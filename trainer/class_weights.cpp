#include "trainer/class_weights.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <variant>

namespace lockstep::trainer {
namespace {

std::vector<double> balanced(std::span<const Label> labels, int classes) {
    std::vector<std::int64_t> samples(static_cast<std::size_t>(classes));
    for (const Label label : labels) ++samples[label];
    const auto present =
        std::ranges::count_if(samples, [](std::int64_t count) { return count > 0; });
    std::vector<double> weights;
    for (const std::int64_t count : samples)
        weights.push_back(count == 0 ? 0.0
                                     : static_cast<double>(labels.size()) /
                                           static_cast<double>(present * count));
    return weights;
}

}  // namespace

std::vector<double> class_weights(const ClassWeightConfig& config, std::span<const Label> labels,
                                  int classes) {
    if (std::holds_alternative<BalancedClasses>(config)) return balanced(labels, classes);
    const auto* given = std::get_if<ClassWeights>(&config);
    return given == nullptr ? std::vector<double>() : given->weights;
}

}  // namespace lockstep::trainer
