#include "tests/support/tutorial_networks.hpp"

#include <map>
#include <utility>

namespace lockstep::tests {

using namespace lockstep::trainer;

namespace {

// Adds layers under Keras' automatic names.
class Builder {
public:
    explicit Builder(bool has_dropout) : has_dropout_(has_dropout) {}

    Builder& conv(int filters, int size, Padding padding = Padding::valid) {
        return add("conv2d", Conv2dConfig{.filters = filters,
                                          .kernel_size = {size, size},
                                          .padding = padding,
                                          .activation = Activation::relu});
    }
    Builder& norm() { return add("batch_normalization", BatchNormalizationConfig{}); }
    Builder& pool() { return add("max_pooling2d", PoolingConfig{}); }
    Builder& flatten() { return add("flatten", FlattenConfig{}); }
    Builder& dropout(double rate) {
        return has_dropout_ ? add("dropout", DropoutConfig{rate}) : *this;
    }
    Builder& dense(int units, Activation activation) {
        return add("dense", DenseConfig{.units = units, .activation = activation});
    }
    std::vector<LayerConfig> layers() { return std::move(layers_); }

private:
    template <class Config>
    Builder& add(const std::string& kind, const Config& config) {
        const int count = counts_[kind]++;
        layers_.push_back({count == 0 ? kind : kind + "_" + std::to_string(count), config});
        return *this;
    }

    bool has_dropout_;
    std::map<std::string, int> counts_;
    std::vector<LayerConfig> layers_;
};

constexpr Activation kRelu = Activation::relu, kSoftmax = Activation::softmax;

}  // namespace

std::vector<TutorialNetwork> tutorial_networks(bool has_dropout) {
    const OptimizerConfig adam{.learning_rate = 1e-3, .rule = AdamConfig{}};
    const OptimizerConfig rmsprop{.learning_rate = 1e-3, .rule = RmspropConfig{}};
    Builder conv10(has_dropout), vgg(has_dropout), three(has_dropout), alexnet(has_dropout),
        conv32(has_dropout);
    conv10.conv(10, 3).pool().conv(64, 3).pool().conv(64, 3).flatten().dense(100, kRelu);
    conv10.dense(10, kSoftmax);
    for (const int width : {32, 64, 128}) {
        vgg.conv(width, 3, Padding::same).norm().conv(width, 3, Padding::same).norm();
        vgg.pool().dropout(0.25);
        three.conv(width, 3, Padding::same).norm().conv(width, 3).pool().dropout(0.5);
    }
    vgg.flatten().dense(128, kRelu).dropout(0.25).dense(10, kSoftmax);
    three.flatten().dense(3, kSoftmax);
    for (const int width : {16, 32, 64}) alexnet.conv(width, 2, Padding::same).pool();
    alexnet.dropout(0.3).flatten().dense(500, kRelu).dropout(0.4).dense(10, kSoftmax);
    conv32.conv(32, 3).pool().conv(64, 3).pool().conv(64, 3).flatten().dense(64, kRelu);
    conv32.dense(10, Activation::linear);
    return {{"conv10-64-64", 10, adam, 146542, conv10.layers()},
            {"vgg-bn", 10, adam, 552362, vgg.layers()},
            {"three-class-bn", 3, adam, 289443, three.layers()},
            {"small-alexnet", 10, rmsprop, 528054, alexnet.layers()},
            {"conv32-64-64", 10, adam, 122570, conv32.layers()}};
}

}  // namespace lockstep::tests
