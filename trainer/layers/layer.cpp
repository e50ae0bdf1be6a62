#include "trainer/layers/layer.hpp"

#include "trainer/layers/activation.hpp"
#include "trainer/layers/batch_normalization.hpp"
#include "trainer/layers/conv2d.hpp"
#include "trainer/layers/dense.hpp"
#include "trainer/layers/dropout.hpp"
#include "trainer/layers/flatten.hpp"
#include "trainer/layers/layer_normalization.hpp"
#include "trainer/layers/merge.hpp"
#include "trainer/layers/pooling.hpp"
#include "trainer/layers/rescaling.hpp"
#include "trainer/layers/separable.hpp"
#include "trainer/layers/spatial_dropout.hpp"
#include "trainer/layers/up_sampling.hpp"
#include "trainer/layers/zero_padding.hpp"

namespace lockstep::trainer {

namespace {

struct Maker {
    const LayerSetting& setting;
    std::span<const Layout> sources;
    ComputeEngine& engine;
    Parameters& parameters;
    const Layout& src = sources.front();

    std::unique_ptr<Layer> operator()(const Conv2dConfig& c) const {
        return std::make_unique<Conv2d>(c, setting, engine, parameters);
    }
    std::unique_ptr<Layer> operator()(const DepthwiseConv2dConfig& c) const {
        return std::make_unique<Conv2d>(grouped(c, setting.shape.input.channels), setting, engine,
                                        parameters);
    }
    // Its first half: the network puts the second one behind.
    std::unique_ptr<Layer> operator()(const SeparableConv2dConfig&) const {
        return make_depthwise(setting, engine, parameters);
    }
    std::unique_ptr<Layer> operator()(const ZeroPadding2dConfig& c) const {
        return std::make_unique<ZeroPadding>(c, setting.shape, src);
    }
    std::unique_ptr<Layer> operator()(const UpSampling2dConfig& c) const {
        return std::make_unique<UpSampling>(c, setting.shape, src);
    }
    std::unique_ptr<Layer> operator()(const PoolingConfig& c) const {
        return std::make_unique<Pooling>(c, setting.shape, src);
    }
    std::unique_ptr<Layer> operator()(const GlobalPoolingConfig& c) const {
        return std::make_unique<Pooling>(c, src);
    }
    std::unique_ptr<Layer> operator()(const MergeConfig& c) const {
        return make_merge(c.kind, sources);
    }
    std::unique_ptr<Layer> operator()(const BatchNormalizationConfig& c) const {
        return std::make_unique<BatchNormalization>(c, setting, src, parameters);
    }
    std::unique_ptr<Layer> operator()(const LayerNormalizationConfig& c) const {
        return std::make_unique<LayerNormalization>(c, setting.shape, src, parameters);
    }
    std::unique_ptr<Layer> operator()(const RescalingConfig& c) const {
        return std::make_unique<Rescaling>(c, src);
    }
    std::unique_ptr<Layer> operator()(const DropoutConfig& c) const {
        if (c.is_spatial) return std::make_unique<SpatialDropout>(c, setting.index, src);
        return std::make_unique<Dropout>(c, setting.index, src);
    }
    std::unique_ptr<Layer> operator()(const FlattenConfig&) const {
        return std::make_unique<Flatten>(src);
    }
    std::unique_ptr<Layer> operator()(const DenseConfig& c) const {
        return std::make_unique<Dense>(c, setting, src, parameters);
    }
    std::unique_ptr<Layer> operator()(const ActivationConfig& c) const {
        // As in a dense layer, the network's last softmax is left to the loss.
        const bool is_left = setting.is_last && c.activation == Activation::softmax;
        return std::make_unique<ActivationLayer>(is_left ? Activation::linear : c.activation, src);
    }
};

}  // namespace

std::unique_ptr<Layer> make_layer(const LayerSetting& setting, std::span<const Layout> src,
                                  ComputeEngine& engine, Parameters& parameters) {
    return std::visit(Maker{setting, src, engine, parameters}, setting.config.kind);
}

}  // namespace lockstep::trainer
