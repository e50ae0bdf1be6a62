#include "trainer/optimizers/weight_ranges.hpp"

#include <algorithm>
#include <string>
#include <variant>

#include "trainer/kernels/aligned_array.hpp"
#include "trainer/optimizers/muon_tensors.hpp"

namespace lockstep::trainer {
namespace {

// Of an L2 regularizer, by the name of the tensor that it is about.
double l2_of(const LayerConfig& layer, const std::string& tensor) {
    const auto l2 = [&](const auto& kind) {
        if constexpr (requires { kind.kernel_l2; })
            if (tensor == "kernel") return kind.kernel_l2;
        if constexpr (requires { kind.depthwise_l2; })
            if (tensor == "kernel" || tensor == "depthwise_kernel") return kind.depthwise_l2;
        if constexpr (requires { kind.pointwise_l2; })
            if (tensor == "pointwise_kernel") return kind.pointwise_l2;
        if constexpr (requires { kind.bias_l2; })
            if (tensor == "bias") return kind.bias_l2;
        if constexpr (requires { kind.gamma_l2; }) {
            if (tensor == "gamma") return kind.gamma_l2;
            if (tensor == "beta") return kind.beta_l2;
        }
        return 0.0;
    };
    return std::visit(l2, layer.kind);
}

double factor_of(const OptimizerConfig& optimizer, const std::string& tensor) {
    const auto& factors = optimizer.learning_rate_factors;
    const auto named = std::ranges::find(factors, tensor, &TensorFactor::tensor);
    return named == factors.end() ? 1.0 : named->factor;
}

}  // namespace

std::int64_t trained_steps_of(const LayerConfig& layer, const std::string& tensor,
                              std::int64_t steps_per_epoch) {
    const auto& some = layer.trainable_epochs;
    const auto named = std::ranges::find(some, tensor, &TrainableEpochs::tensor);
    return named == some.end() ? kAllSteps : named->epochs * steps_per_epoch;
}

namespace {

bool decays(const OptimizerConfig& optimizer, bool by_muon, const std::string& tensor) {
    const auto* muon = std::get_if<MuonConfig>(&optimizer.rule);
    const double decay =
        muon != nullptr && !by_muon ? muon->adam_weight_decay : optimizer.weight_decay;
    const auto& excluded = optimizer.exclude_from_weight_decay;
    return decay > 0.0 && std::ranges::find(excluded, tensor) == excluded.end();
}

// Padding between two tensors is zero, and stays it: alike, they are one range.
bool is_continued(const WeightRange& range, const WeightRange& next) {
    return round_up_to_line(range.first + range.count) == next.first &&
           range.decays == next.decays && range.l2 == next.l2 &&
           range.rate_factor == next.rate_factor && range.trained_steps == next.trained_steps &&
           range.takes_muon == next.takes_muon;
}

}  // namespace

std::vector<WeightRange> weight_ranges(const OptimizerConfig& optimizer,
                                       std::span<const LayerConfig> layers,
                                       const Parameters& parameters, std::int64_t steps_per_epoch) {
    std::vector<WeightRange> ranges;
    for (const Parameters::TrainableTensor& tensor : parameters.trainable_tensors()) {
        WeightRange range{tensor.first, tensor.count};
        range.rate_factor = factor_of(optimizer, tensor.name);
        const auto layer = std::ranges::find(layers, tensor.layer, &LayerConfig::name);
        if (layer != layers.end()) {
            range.takes_muon = takes_muon(optimizer, *layer, tensor.name, tensor.shape);
            range.l2 = l2_of(*layer, tensor.name);
            range.rate_factor *= layer->learning_rate_factor;
            range.trained_steps = trained_steps_of(*layer, tensor.name, steps_per_epoch);
        }
        range.decays = decays(optimizer, range.takes_muon, tensor.name);
        if (!range.decays && range.l2 == 0.0 && range.rate_factor == 1.0 &&
            range.trained_steps == kAllSteps && !range.takes_muon)
            continue;
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
