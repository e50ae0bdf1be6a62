#include "trainer/optimizers/muon_tensors.hpp"

#include <algorithm>
#include <variant>

#include "trainer/optimizers/weight_ranges.hpp"

namespace lockstep::trainer {
namespace {

bool is_excluded(const MuonConfig& muon, const std::string& path) {
    return std::ranges::any_of(muon.exclude_layers, [&](const std::string& part) {
        return path.find(part) != std::string::npos;
    });
}

// Of a depthwise kernel no column sees more than one channel.
bool is_depthwise(const LayerConfig& layer, const std::string& tensor) {
    return std::holds_alternative<DepthwiseConv2dConfig>(layer.kind) ||
           tensor == "depthwise_kernel";
}

}  // namespace

bool takes_muon(const OptimizerConfig& optimizer, const LayerConfig& layer,
                const std::string& tensor, std::span<const std::int64_t> shape) {
    const auto* muon = std::get_if<MuonConfig>(&optimizer.rule);
    if (muon == nullptr || is_excluded(*muon, layer.name + '/' + tensor)) return false;
    if (shape.size() == 2) return true;
    return shape.size() == 4 && !muon->exclude_convolutions && !is_depthwise(layer, tensor);
}

// With r columns, or rows where these are fewer: Y' Y and Y B, and A A.
std::uint64_t MuonTensor::cost() const {
    const std::uint64_t r = std::min(rows, columns), c = std::max(rows, columns);
    return 2 * r * r * c + r * r * r;
}

std::vector<MuonTensor> muon_tensors(const OptimizerConfig& optimizer,
                                     std::span<const LayerConfig> layers,
                                     const Parameters& parameters, std::int64_t steps_per_epoch) {
    std::vector<MuonTensor> tensors;
    for (const Parameters::TrainableTensor& tensor : parameters.trainable_tensors()) {
        const auto layer = std::ranges::find(layers, tensor.layer, &LayerConfig::name);
        if (layer == layers.end() || !takes_muon(optimizer, *layer, tensor.name, tensor.shape))
            continue;
        const auto columns = static_cast<std::size_t>(tensor.shape.back());
        std::size_t rows = 1;
        for (std::size_t axis = 0; axis + 1 < tensor.shape.size(); ++axis)
            rows *= static_cast<std::size_t>(tensor.shape[axis]);
        tensors.push_back(
            {.number = tensor.number,
             .first = tensor.first,
             .count = tensor.count,
             .rows = rows,
             .columns = columns,
             .trained_steps = trained_steps_of(*layer, tensor.name, steps_per_epoch)});
    }
    return tensors;
}

std::vector<int> muon_owners(std::span<const MuonTensor> tensors, int ranks) {
    std::uint64_t whole = 0, before = 0;
    for (const MuonTensor& tensor : tensors) whole += tensor.cost();
    std::vector<int> owners;
    for (const MuonTensor& tensor : tensors) {
        const std::uint64_t twice_middle = 2 * before + tensor.cost();
        owners.push_back(
            static_cast<int>(twice_middle * static_cast<std::uint64_t>(ranks) / (2 * whole)));
        before += tensor.cost();
    }
    return owners;
}

std::vector<Slice> muon_parts(std::span<const MuonTensor> tensors, std::span<const int> owners,
                              int ranks) {
    std::vector<Slice> parts(static_cast<std::size_t>(ranks));
    for (std::size_t t = 0; t < tensors.size(); ++t) {
        Slice& part = parts[static_cast<std::size_t>(owners[t])];
        if (part.count == 0) part.first = tensors[t].first;
        part.count = tensors[t].first + tensors[t].count - part.first;
    }
    return parts;
}

}  // namespace lockstep::trainer
