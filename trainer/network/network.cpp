#include "trainer/network/network.hpp"

namespace lockstep::trainer {

Network::Network(std::span<const LayerConfig> layers, const Shape& input, int classes, int batch)
    : classes_(classes) {
    const Architecture architecture = infer_shapes(layers, input, classes);
    Layout layout = interleaved(input);
    bool is_trained_so_far = false;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const LayerSetting setting{.config = layers[i],
                                   .shape = architecture.layers[i],
                                   .index = static_cast<std::uint32_t>(i),
                                   .batch = batch,
                                   .is_last = i + 1 == layers.size(),
                                   .needs_diff_src = is_trained_so_far};
        layers_.push_back(make_layer(setting, layout, engine_, parameters_));
        layout = layers_.back()->dst();
        is_trained_so_far = is_trained_so_far || layers_.back()->has_parameters();
    }
    parameters_.allocate();
}

}  // namespace lockstep::trainer
