// Batch normalization against its definition over the whole batch, in double.
#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/layer_check.hpp"
#include "tests/support/random_values.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

LayerProbeSetting batch_normalization(const Shape& input, int batch, int shards) {
    LayerProbeSetting setting;
    setting.config = {"batch_normalization", BatchNormalizationConfig{}};
    setting.input = input;
    setting.batch = batch;
    setting.shards = shards;
    return setting;
}

const Shape kImage{4, 3, 10, false};

}  // namespace

TEST_CASE("batch normalization: images and vectors, in any number of shards", "[trainer][layer]") {
    for (const Shape& input : {kImage, Shape{5, 7, 16, false}, Shape{3, 3, 3, false},
                               Shape{1, 1, 1, false}, Shape{1, 1, 37, true}})
        for (const int shards : {1, 2, 3, 8}) {
            CAPTURE(to_string(input), shards);
            check_layer(batch_normalization(input, 5, shards));
        }
}

TEST_CASE("batch normalization without gamma, without beta, without either", "[trainer][layer]") {
    for (const bool center : {false, true})
        for (const bool scale : {false, true})
            for (const int channels : {1, 7, 16, 17})
                for (const Shape& input :
                     {Shape{4, 3, channels, false}, Shape{1, 1, channels, true}}) {
                    CAPTURE(center, scale, to_string(input));
                    LayerProbeSetting setting = batch_normalization(input, 5, 3);
                    setting.config.kind =
                        BatchNormalizationConfig{.center = center, .scale = scale};
                    check_layer(setting);
                    CHECK(shape_of(setting.config, input).parameters.size() ==
                          std::size_t{2} + (center ? 1 : 0) + (scale ? 1 : 0));
                }
}

TEST_CASE("batch normalization: the statistics do not depend on the cut into shards",
          "[trainer][layer]") {
    // Far from zero: sums of squares instead of deviations would lose all digits.
    RandomValues random(1);
    const auto src = random.floats(8 * 120, 999.0, 1001.0);
    const Communicator comm(MPI_COMM_SELF);
    LayerProbe whole(batch_normalization(kImage, 8, 1), comm);
    randomize_parameters(whole.network(), 2);
    const auto expected = in_double(whole.forward(src));
    for (const int shards : {2, 3, 8}) {
        LayerProbe cut(batch_normalization(kImage, 8, shards), comm);
        randomize_parameters(cut.network(), 2);
        check_close("cut", cut.forward(src), expected, 5e-4);  // a float near 1000 ends at 6e-5
    }
}

TEST_CASE("batch normalization: moving statistics follow with momentum .99, variance over n",
          "[trainer][layer]") {
    const Communicator comm(MPI_COMM_SELF);
    LayerProbe probe(batch_normalization({1, 1, 2, true}, 4, 3), comm);
    NamedTensors weights = probe.network().parameters().weights();
    weights[0].values = {1.0F, 1.0F};
    weights[2].values = {0.0F, 2.0F};
    weights[3].values = {1.0F, 3.0F};
    probe.network().parameters().set_weights(weights);
    // means 2.5 and 10; variances 1.25 and 0
    probe.forward(std::vector<float>{1.0F, 10.0F, 2.0F, 10.0F, 3.0F, 10.0F, 4.0F, 10.0F});
    CHECK(probe.network().parameters().weights() == weights);  // the step may yet be stopped
    probe.commit();
    const NamedTensors after = probe.network().parameters().weights();
    CHECK(after[2].values[0] == Approx(0.01 * 2.5));
    CHECK(after[2].values[1] == Approx(0.99 * 2.0 + 0.01 * 10.0));
    CHECK(after[3].values[0] == Approx(0.99 * 1.0 + 0.01 * 1.25));
    CHECK(after[3].values[1] == Approx(0.99 * 3.0));
}

TEST_CASE("batch normalization: evaluation uses the moving statistics and leaves them",
          "[trainer][layer]") {
    LayerProbeSetting setting = batch_normalization(kImage, 3, 1);
    setting.is_training = false;
    const Communicator comm(MPI_COMM_SELF);
    LayerProbe probe(setting, comm);
    randomize_parameters(probe.network(), 3);
    const NamedTensors weights = probe.network().parameters().weights();
    RandomValues random(4);
    const auto src = random.floats(3 * 120);
    Values expected;
    for (std::size_t i = 0; i < src.size(); ++i) {
        const auto of = [&](std::size_t tensor) {
            return static_cast<double>(weights[tensor].values[i % 10]);
        };
        expected.push_back(of(0) * (static_cast<double>(src[i]) - of(2)) / std::sqrt(of(3) + 1e-3) +
                           of(1));
    }
    check_close("evaluation", probe.forward(src), expected, 1e-6);
    CHECK(probe.network().parameters().weights() == weights);
}

TEST_CASE("batch normalization: a batch of one vector and a constant channel give beta",
          "[trainer][layer]") {
    const Communicator comm(MPI_COMM_SELF);
    LayerProbe probe(batch_normalization({1, 1, 3, true}, 1, 8), comm);
    randomize_parameters(probe.network(), 5);
    const auto y = probe.forward(std::vector<float>{0.25F, -3.0F, 100.0F});
    const NamedTensors weights = probe.network().parameters().weights();
    for (std::size_t c = 0; c < 3; ++c)
        CHECK(y[c] == Approx(weights[1].values[c]).margin(1e-3));  // beta, less rounding of 3000
}

TEST_CASE("batch normalization applies the ReLU gradient of the layer in front",
          "[trainer][layer]") {
    const Communicator comm(MPI_COMM_SELF);
    RandomValues random(6);
    auto src = random.floats(5 * 120);
    for (float& value : src) value = std::max(value, 0.0F);
    const auto diff_dst = random.floats(src.size());
    LayerProbeSetting setting = batch_normalization(kImage, 5, 3);
    LayerProbe plain(setting, comm);
    setting.masks_src_relu = true;
    LayerProbe masked(setting, comm);
    std::vector<float> expected, diff_src;
    for (LayerProbe* probe : {&plain, &masked}) {
        randomize_parameters(probe->network(), 7);
        probe->forward(src);
        expected = std::move(diff_src);
        diff_src = probe->backward(diff_dst);
    }
    for (std::size_t i = 0; i < src.size(); ++i)
        if (src[i] == 0.0F) expected[i] = 0.0F;
    CHECK(diff_src == expected);
}
