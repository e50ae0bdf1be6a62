#include "trainer/optimizers/weight_ranges.hpp"

#include <algorithm>
#include <string>
#include <variant>

#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::trainer {
namespace {

double kernel_l2(std::span<const LayerConfig> layers, const std::string& name) {
    const auto layer = std::ranges::find(layers, name, &LayerConfig::name);
    if (layer == layers.end()) return 0.0;
    const auto l2_of = [](const auto& kind) {
        if constexpr (requires { kind.kernel_l2; }) return kind.kernel_l2;
        return 0.0;
    };
    return std::visit(l2_of, layer->kind);
}

// Padding between two tensors is zero, and stays it: alike, they are one range.
bool is_continued(const WeightRange& range, const WeightRange& next) {
    return round_up_to_line(range.first + range.count) == next.first &&
           range.decays == next.decays && range.l2 == next.l2;
}

}  // namespace

std::vector<WeightRange> weight_ranges(const OptimizerConfig& optimizer,
                                       std::span<const LayerConfig> layers,
                                       const Parameters& parameters) {
    const auto& excluded = optimizer.exclude_from_weight_decay;
    std::vector<WeightRange> ranges;
    for (const Parameters::TrainableTensor& tensor : parameters.trainable_tensors()) {
        const bool decays = optimizer.weight_decay > 0.0 &&
                            std::ranges::find(excluded, tensor.name) == excluded.end();
        const double l2 = tensor.name == "kernel" ? kernel_l2(layers, tensor.layer) : 0.0;
        if (!decays && l2 == 0.0) continue;
        const WeightRange range{tensor.first, tensor.count, decays, l2};
        if (!ranges.empty() && is_continued(ranges.back(), range))
            ranges.back().count = range.first + range.count - ranges.back().first;
        else
            ranges.push_back(range);
    }
    return ranges;
}

bool has_l2(std::span<const WeightRange> ranges) {
    return std::ranges::any_of(ranges, [](const WeightRange& range) { return range.l2 > 0.0; });
}

}  // namespace lockstep::trainer
