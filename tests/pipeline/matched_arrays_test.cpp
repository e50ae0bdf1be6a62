// Which array of a file is which tensor: by the layers' names, else by their places, as Keras 3
// counts them.

#include "pipeline/recording/matched_arrays.hpp"

#include <string>
#include <vector>

#include "pipeline/recording/tensors.hpp"
#include "storage/weights/keras_archive.hpp"
#include "storage/weights/weights_file.hpp"
#include "tests/support/catch.hpp"
#include "trainer/config/errors.hpp"

using namespace lockstep;
using pipeline::matched_arrays;

namespace {

storage::NamedArray array(const std::string& layer, const std::string& name, float value) {
    return {layer, name, {1}, {value}};
}

std::vector<float> values_of(const storage::NamedArrays& arrays) {
    std::vector<float> values;
    for (const auto& each : arrays) values.push_back(each.values.at(0));
    return values;
}

trainer::LayerShape layer(const std::string& name, const std::string& class_name,
                          const std::vector<std::string>& tensors) {
    trainer::LayerShape shape;
    shape.name = name;
    shape.class_name = class_name;
    for (const std::string& tensor : tensors) {
        trainer::ParameterShape parameter;
        parameter.name = tensor;
        parameter.shape = {1};
        shape.parameters.push_back(parameter);
    }
    return shape;
}

trainer::Architecture network_of(const std::vector<trainer::LayerShape>& layers) {
    trainer::Architecture network;
    network.layers = layers;
    return network;
}

// Weights alone as Keras 3 writes them: one a layer, of the classes in this order, named by it.
storage::ModelFile saved(const std::vector<std::string>& classes,
                         const std::vector<std::string>& names) {
    storage::KerasModel model;
    storage::NamedArrays weights;
    for (std::size_t i = 0; i < classes.size(); ++i) {
        model.layers.push_back({names[i], classes[i], "{}"});
        weights.push_back(array(names[i], "kernel", static_cast<float>(i)));
    }
    return storage::parse_model_file(storage::keras_weights_bytes(model, weights), "w.weights.h5");
}

std::vector<float> read_into(const trainer::Architecture& network, storage::ModelFile file) {
    std::vector<float> values;
    for (const auto& tensor : pipeline::to_tensors(std::move(file), network, "w.weights.h5"))
        values.push_back(tensor.values.at(0));
    return values;
}

}  // namespace

TEST_CASE("arrays find their tensors by the names of layers", "[matched_arrays]") {
    const auto network = network_of(
        {layer("a", "Dense", {"kernel", "bias"}), layer("b", "Dense", {"kernel", "bias"})});
    const std::vector<float> ascending{1.0F, 2.0F, 3.0F, 4.0F};
    const auto match = [&](const storage::NamedArrays& arrays) {
        return values_of(matched_arrays(arrays, {}, network, "w"));
    };
    // Another order in the file; arrays that are numbered keep theirs.
    CHECK(match({array("b", "bias", 4), array("b", "kernel", 3), array("a", "kernel", 1),
                 array("a", "bias", 2)}) == ascending);
    CHECK(match({array("b", "0", 3), array("b", "1", 4), array("a", "0", 1), array("a", "1", 2)}) ==
          ascending);
    // Other names: as they stand.
    CHECK(match({array("b", "kernel", 1), array("b", "bias", 2), array("c", "kernel", 3),
                 array("c", "bias", 4)}) == ascending);
}

// HDF5 lists them as conv2d, conv2d_1, conv2d_10, conv2d_11, conv2d_2.
TEST_CASE("twelve convolutions of one shape keep their order", "[matched_arrays]") {
    std::vector<std::string> names;
    std::vector<trainer::LayerShape> layers;
    std::vector<float> expected;
    for (int i = 0; i < 12; ++i) {
        names.push_back("conv2d_" + std::to_string(40 + i));  // of a later session
        layers.push_back(layer("c" + std::to_string(i + 1), "Conv2D", {"kernel"}));
        expected.push_back(static_cast<float>(i));
    }
    CHECK(read_into(network_of(layers), saved(std::vector<std::string>(12, "Conv2D"), names)) ==
          expected);
}

// By name the normalizations come first.
TEST_CASE("convolutions and normalizations of a later session", "[matched_arrays]") {
    const auto network =
        network_of({layer("one", "Conv2D", {"kernel"}), layer("relu", "Activation", {}),
                    layer("two", "BatchNormalization", {"gamma"}),
                    layer("three", "Conv2D", {"kernel"}), layer("four", "Dense", {"kernel"})});
    CHECK(read_into(network, saved({"Conv2D", "BatchNormalization", "Conv2D", "Dense"},
                                   {"conv2d_5", "batch_normalization_5", "conv2d_6", "dense_3"})) ==
          std::vector<float>{0.0F, 1.0F, 2.0F, 3.0F});
}

TEST_CASE("weights at places that the network has not are refused", "[matched_arrays]") {
    const auto network =
        network_of({layer("one", "Conv2D", {"kernel"}), layer("two", "Dense", {"kernel"})});
    const auto refusal = [&](const std::vector<std::string>& classes) {
        std::vector<std::string> names;
        for (const std::string& each : classes) names.push_back("other" + each);
        try {
            read_into(network, saved(classes, names));
        } catch (const trainer::WeightsError& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    CHECK(refusal({"Conv2D", "Dense"}).empty());
    CHECK(refusal({"Conv2D", "DepthwiseConv2D"}).find("nothing at layers/dense") !=
          std::string::npos);
    CHECK(refusal({"Conv2D", "Dense", "DepthwiseConv2D"})
              .find("weights at layers/depthwise_conv2d") != std::string::npos);
}
