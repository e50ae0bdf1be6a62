// Which two layers become one.
#include "trainer/layers/first_conv_pool.hpp"

#include <vector>

#include "tests/support/catch.hpp"
#include "trainer/config/architecture.hpp"

namespace lockstep::trainer {
namespace {

struct Pair {
    Shape image{12, 12, 3, false};
    Conv2dConfig convolution{.filters = 10, .kernel_size = {3, 3}, .activation = Activation::relu};
    PoolingConfig pooling;
    bool needs_diff_src = false;

    bool is_taken() const {
        const std::vector<LayerConfig> layers{{"conv2d", convolution},
                                              {"pooling", pooling},
                                              {"flatten", FlattenConfig{}},
                                              {"dense", DenseConfig{.units = 2}}};
        const Architecture a = infer_shapes(layers, image, 2);
        return FirstConvPool::takes({layers[0], a.layers[0], 0, false, needs_diff_src},
                                    {layers[1], a.layers[1], 1, false, true});
    }
};

template <class Change>
bool takes(Change change) {
    Pair pair;
    change(pair);
    return pair.is_taken();
}

TEST_CASE("a first convolution and its pooling are one layer", "[trainer][layer]") {
    CHECK(takes([](Pair&) {}));
    CHECK(takes([](Pair& p) { p.image.channels = 4; }));
    CHECK(takes([](Pair& p) { p.convolution.kernel_size = {7, 1}; }));
    CHECK(takes([](Pair& p) {
        p.convolution.kernel_size = {7, 2};
        p.convolution.padding = Padding::same;
    }));
    CHECK(takes([](Pair& p) { p.image.height = p.image.width = 4; }));  // one window
    CHECK(takes([](Pair& p) { p.image.width = 13; }));                  // a column in no window
}

TEST_CASE("a first convolution and its pooling that no kernel computes stay two layers",
          "[trainer][layer]") {
    CHECK_FALSE(takes([](Pair& p) { p.image.channels = 5; }));
    CHECK_FALSE(takes([](Pair& p) { p.convolution.kernel_size = {8, 3}; }));
    CHECK_FALSE(takes([](Pair& p) { p.convolution.kernel_size = {3, 8}; }));
    CHECK_FALSE(takes([](Pair& p) { p.convolution.strides = {2, 1}; }));
    CHECK_FALSE(takes([](Pair& p) { p.convolution.strides = {1, 2}; }));
    CHECK_FALSE(takes([](Pair& p) { p.convolution.activation = Activation::linear; }));
    CHECK_FALSE(takes([](Pair& p) { p.needs_diff_src = true; }));
    CHECK_FALSE(takes([](Pair& p) { p.pooling.kind = PoolingKind::average; }));
    CHECK_FALSE(takes([](Pair& p) { p.pooling.pool_size = {3, 3}; }));
    CHECK_FALSE(takes([](Pair& p) { p.pooling.strides = {1, 1}; }));
    CHECK_FALSE(takes([](Pair& p) {  // a window over the edge
        p.image.width = 13;
        p.pooling.padding = Padding::same;
    }));
    CHECK_FALSE(takes([](Pair& p) {  // an output of one pixel
        p.image.height = p.image.width = 3;
        p.pooling.padding = Padding::same;
    }));
}

TEST_CASE("a first convolution without pooling behind it stays alone", "[trainer][layer]") {
    const std::vector<LayerConfig> layers{
        {"conv2d", Conv2dConfig{.filters = 8, .activation = Activation::relu}},
        {"flatten", FlattenConfig{}},
        {"dense", DenseConfig{.units = 2}}};
    const Architecture a = infer_shapes(layers, {8, 8, 3, false}, 2);
    CHECK_FALSE(FirstConvPool::takes({layers[0], a.layers[0], 0, false, false},
                                     {layers[1], a.layers[1], 1, false, true}));
    CHECK_FALSE(FirstConvPool::takes({layers[1], a.layers[1], 0, false, false},
                                     {layers[2], a.layers[2], 1, false, true}));
}

}  // namespace
}  // namespace lockstep::trainer
