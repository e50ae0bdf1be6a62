#pragma once

// LayerNormalization over the last axis, as Keras': the channels of each pixel, or all features of
// a vector (kernels/layer_norm.hpp). Nothing of it depends on other samples.

#include <optional>
#include <vector>

#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

class LayerNormalization : public Layer {
public:
    LayerNormalization(const LayerNormalizationConfig& config, const LayerShape& shape,
                       const Layout& src, Parameters& parameters);
    void bind(PassBuilder& pass) const override;

private:
    class Pass;

    double epsilon_;
    int channels_;                             // without padding
    std::optional<std::size_t> gamma_, beta_;  // tensors
    std::vector<float> mask_;                  // one a padded channel, zero where there is padding
    std::vector<float> zeros_;
};

}  // namespace lockstep::trainer
