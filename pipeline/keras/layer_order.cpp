#include "pipeline/keras/layer_order.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace lockstep::pipeline {
namespace {

// Numbers the layers as they are met on the way back from the last one.
class WayBack {
public:
    explicit WayBack(std::span<const trainer::LayerConfig> layers)
        : layers_(layers), numbers_(layers.size(), layers.size()) {
        if (!layers.empty()) meet(layers.size() - 1);
    }
    std::size_t number_of(std::size_t layer) const { return numbers_[layer]; }

private:
    void meet(std::size_t layer) {
        if (numbers_[layer] != layers_.size()) return;
        numbers_[layer] = met_++;
        for (const trainer::ValueNumber source : sources_of(layers_, layer))
            if (source > 0) meet(source - 1);
    }

    std::span<const trainer::LayerConfig> layers_;
    std::vector<std::size_t> numbers_;
    std::size_t met_ = 0;
};

// How many layers at most lie behind each.
std::vector<std::size_t> distances(std::span<const trainer::LayerConfig> layers) {
    std::vector<std::size_t> distance(layers.size(), 0);
    for (std::size_t layer = layers.size(); layer-- > 0;)
        for (const trainer::ValueNumber source : sources_of(layers, layer))
            if (source > 0)
                distance[source - 1] = std::max(distance[source - 1], distance[layer] + 1);
    return distance;
}

}  // namespace

std::vector<std::size_t> keras_order(std::span<const trainer::LayerConfig> layers) {
    const WayBack way_back(layers);
    const std::vector<std::size_t> distance = distances(layers);
    std::vector<std::size_t> order(layers.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
        return std::tuple(distance[b], way_back.number_of(a)) <
               std::tuple(distance[a], way_back.number_of(b));
    });
    return order;
}

std::vector<trainer::LayerConfig> reordered(std::span<const trainer::LayerConfig> layers,
                                            std::span<const std::size_t> order) {
    std::vector<trainer::ValueNumber> numbers(layers.size() + 1, 0);
    for (std::size_t i = 0; i < order.size(); ++i) numbers[order[i] + 1] = i + 1;
    std::vector<trainer::LayerConfig> result;
    for (const std::size_t layer : order) {
        trainer::LayerConfig config = layers[layer];
        config.sources = sources_of(layers, layer);
        for (trainer::ValueNumber& source : config.sources) source = numbers[source];
        // None where it is the layer in front.
        if (config.sources == std::vector<trainer::ValueNumber>{result.size()})
            config.sources.clear();
        result.push_back(std::move(config));
    }
    return result;
}

}  // namespace lockstep::pipeline
