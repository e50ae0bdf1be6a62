#include "trainer/network/network.hpp"

#include <algorithm>

namespace lockstep::trainer {

Network::Network(std::span<const LayerConfig> layers, const Shape& input, int classes, int batch)
    : first_trained_(layers.size()), classes_(classes) {
    const Architecture architecture = infer_shapes(layers, input, classes);
    Layout layout = interleaved(input);
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const LayerSetting setting{.config = layers[i],
                                   .shape = architecture.layers[i],
                                   .index = static_cast<std::uint32_t>(i),
                                   .batch = batch,
                                   .is_last = i + 1 == layers.size(),
                                   .needs_diff_src = needs_diff_src(i)};
        layers_.push_back(make_layer(setting, layout, engine_, parameters_));
        layout = layers_.back()->dst();
        if (layers_.back()->has_parameters()) first_trained_ = std::min(first_trained_, i);
    }
    parameters_.allocate();
}

}  // namespace lockstep::trainer
