// Dense layers against plain loops and finite differences.
#include "tests/support/catch.hpp"
#include "tests/support/layer_check.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

LayerProbeSetting dense(int features, int units, Activation activation = Activation::linear,
                        bool use_bias = true) {
    LayerProbeSetting setting;
    setting.input = {1, 1, features, true};
    setting.config = {"dense",
                      DenseConfig{.units = units, .activation = activation, .use_bias = use_bias}};
    return setting;
}

}  // namespace

TEST_CASE("dense: features and units that fill vectors and do not", "[trainer][layer]") {
    for (const int features : {1, 3, 16, 17, 100})
        for (const int units : {1, 3, 10, 16, 37}) {
            CAPTURE(features, units);
            check_layer(dense(features, units));
        }
}

TEST_CASE("dense: with ReLU and without a bias", "[trainer][layer]") {
    check_layer(dense(20, 13, Activation::relu));
    check_layer(dense(20, 13, Activation::linear, false));
    check_layer(dense(20, 13, Activation::relu, false));
}

TEST_CASE("dense: with a softmax inside a network", "[trainer][layer]") {
    check_layer(dense(20, 13, Activation::softmax));
    check_layer(dense(20, 16, Activation::softmax, false));
}

TEST_CASE("dense: a batch of one sample, and fewer samples than shards", "[trainer][layer]") {
    for (const int batch : {1, 2, 7}) {
        LayerProbeSetting setting = dense(20, 13);
        setting.batch = batch;
        setting.shards = 3;
        check_layer(setting);
    }
}
