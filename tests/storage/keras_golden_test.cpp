// Files that Keras' own code wrote (tests/golden/keras): read with equal values.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "storage/weights/weights_file.hpp"
#include "tests/storage/thrown.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::storage {
namespace {

// The network of make_keras_files.py, in the order of get_weights().
struct GoldenArray {
    const char* layer;
    const char* name;
    std::vector<std::int64_t> shape;
};
const std::vector<GoldenArray> kArrays{{"conv2d", "kernel", {2, 2, 1, 2}},
                                       {"conv2d", "bias", {2}},
                                       {"batch_normalization", "gamma", {2}},
                                       {"batch_normalization", "beta", {2}},
                                       {"batch_normalization", "moving_mean", {2}},
                                       {"batch_normalization", "moving_variance", {2}},
                                       {"dense", "kernel", {8, 3}},
                                       {"dense", "bias", {3}}};

ModelFile read_golden(const std::string& name) {
    return read_model_file(std::string(LOCKSTEP_GOLDEN_KERAS) + "/" + name);
}

// Place i of array k holds k + i / 256, which float32 holds exactly.
void check_arrays(const NamedArrays& weights) {
    REQUIRE(weights.size() == kArrays.size());
    for (std::size_t k = 0; k < kArrays.size(); ++k) {
        CAPTURE(k);
        CHECK(weights[k].layer == kArrays[k].layer);
        CHECK(weights[k].name == kArrays[k].name);
        CHECK(weights[k].shape == kArrays[k].shape);
        std::size_t count = 1;
        for (const std::int64_t extent : kArrays[k].shape)
            count *= static_cast<std::size_t>(extent);
        REQUIRE(weights[k].values.size() == count);
        for (std::size_t i = 0; i < count; ++i)
            CHECK(weights[k].values[i] == static_cast<float>(k) + static_cast<float>(i) / 256.0F);
    }
}

}  // namespace

TEST_CASE("golden: weights that Keras 2 saved", "[storage]") {
    const ModelFile file = read_golden("keras2.weights.h5");
    check_arrays(file.weights);
    CHECK(file.model_config_json.empty());
    CHECK_FALSE(file.state);
}

// Keras 3's own files number the arrays of a layer.
TEST_CASE("golden: an archive and a weights file of Keras 3", "[storage]") {
    for (const char* name : {"keras3.keras", "keras3.weights.h5"}) {
        CAPTURE(name);
        NamedArrays weights = read_golden(name).weights;
        REQUIRE(weights.size() == kArrays.size());
        // The weights file has its layers by name.
        std::ranges::stable_sort(weights, {}, [](const NamedArray& array) {
            return std::ranges::find(kArrays, array.layer, &GoldenArray::layer) - kArrays.begin();
        });
        int number = 0;
        for (std::size_t k = 0; k < weights.size(); ++k) {
            number = k > 0 && weights[k].layer == weights[k - 1].layer ? number + 1 : 0;
            CHECK(std::exchange(weights[k].name, kArrays[k].name) == std::to_string(number));
        }
        check_arrays(weights);
    }
}

TEST_CASE("golden: a whole model that Keras 3 saved", "[storage]") {
    const ModelFile file = read_golden("keras3.h5");
    check_arrays(file.weights);
    CHECK(file.model_config_json.find("\"class_name\": \"Sequential\"") != std::string::npos);
    CHECK_FALSE(file.state);
}

}  // namespace lockstep::storage
