// Layer normalization and rescaling against their definitions in double.
#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/layer_check.hpp"
#include "tests/support/random_values.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

LayerProbeSetting setting_of(const LayerConfig& config, const Shape& input, int batch = 5) {
    LayerProbeSetting setting;
    setting.config = config;
    setting.input = input;
    setting.batch = batch;
    return setting;
}

LayerConfig layer_normalization(bool center = true, bool scale = true) {
    return {"norm", LayerNormalizationConfig{.center = center, .scale = scale}};
}

}  // namespace

TEST_CASE("layer normalization of pixels and of vectors", "[trainer][layer]") {
    for (const int channels : {1, 3, 7, 16, 17, 32, 37})
        for (const int batch : {1, 5})
            for (const Shape& input : {Shape{4, 3, channels, false}, Shape{1, 1, channels, true},
                                       Shape{1, 1, channels, false}}) {
                CAPTURE(to_string(input), batch);
                check_layer(setting_of(layer_normalization(), input, batch));
            }
}

TEST_CASE("layer normalization without gamma, without beta, without either", "[trainer][layer]") {
    for (const bool center : {false, true})
        for (const bool scale : {false, true})
            for (const int channels : {7, 16, 17}) {
                CAPTURE(center, scale, channels);
                const LayerConfig config = layer_normalization(center, scale);
                const Shape input{4, 3, channels, false};
                check_layer(setting_of(config, input));
                CHECK(shape_of(config, input).parameters.size() ==
                      std::size_t{0} + (center ? 1 : 0) + (scale ? 1 : 0));
            }
}

TEST_CASE("layer normalization far from zero keeps the digits that there are", "[trainer][layer]") {
    const Communicator comm(MPI_COMM_SELF);
    RandomValues random(1);
    for (const int channels : {7, 16, 512}) {
        const LayerProbeSetting setting =
            setting_of(layer_normalization(false, false), {2, 2, channels, false});
        LayerProbe probe(setting, comm);
        const auto src = random.floats(5 * 4 * static_cast<std::size_t>(channels), 999.0, 1001.0);
        const Values expected =
            plain_forward(setting.config, probe.shape(), {}, in_double(src), setting.batch);
        // A mean near 1000 is rounded by 3e-5; some pixels deviate by less than a fifth from it.
        check_close("far", probe.forward(src), expected, 2.5e-4);
    }
}

TEST_CASE("layer normalization of equal values gives beta", "[trainer][layer]") {
    const Communicator comm(MPI_COMM_SELF);
    LayerProbe probe(setting_of(layer_normalization(), {1, 1, 3, true}, 2), comm);
    NamedTensors weights = probe.network().parameters().weights();
    weights[0].values = {2.0F, 3.0F, 4.0F};
    weights[1].values = {0.5F, -1.0F, 7.0F};
    CHECK(weights[0].name == "gamma");
    probe.network().parameters().set_weights(weights);
    CHECK(probe.forward(std::vector<float>{5, 5, 5, -0.1F, -0.1F, -0.1F}) ==
          std::vector<float>{0.5F, -1.0F, 7.0F, 0.5F, -1.0F, 7.0F});
}

TEST_CASE("a pixel's layer normalization does not depend on its neighbours", "[trainer][layer]") {
    const Communicator comm(MPI_COMM_SELF);
    RandomValues random(2);
    const auto src = random.floats(6 * 4 * 17);
    LayerProbe whole(setting_of(layer_normalization(), {2, 2, 17, false}, 6), comm);
    LayerProbe single(setting_of(layer_normalization(), {1, 1, 17, false}, 1), comm);
    for (LayerProbe* probe : {&whole, &single}) randomize_parameters(probe->network(), 3);
    const auto together = whole.forward(src);
    for (std::size_t pixel = 0; pixel < 24; ++pixel) {
        const auto alone = single.forward(std::span(src).subspan(pixel * 17, 17));
        CHECK(std::equal(alone.begin(), alone.end(),
                         together.begin() + static_cast<std::ptrdiff_t>(pixel * 17)));
    }
}

TEST_CASE("rescaling: a factor, then a shift", "[trainer][layer]") {
    for (const int channels : {1, 7, 16, 17})
        for (const int batch : {1, 5})
            for (const Shape& input : {Shape{4, 3, channels, false}, Shape{1, 1, channels, true}})
                for (const double offset : {0.0, -1.0}) {
                    CAPTURE(to_string(input), batch, offset);
                    check_layer(setting_of({"rescaling", RescalingConfig{1.0 / 127.5, offset}},
                                           input, batch));
                }
    const Communicator comm(MPI_COMM_SELF);
    LayerProbe probe(setting_of({"rescaling", RescalingConfig{1.0 / 255.0}}, {1, 1, 3, false}, 1),
                     comm);
    CHECK(probe.forward(std::vector<float>{0, 51, 255}) ==
          std::vector<float>{0, 51 * static_cast<float>(1.0 / 255.0),
                             255 * static_cast<float>(1.0 / 255.0)});
}
