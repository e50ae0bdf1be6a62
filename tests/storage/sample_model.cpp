#include "tests/storage/sample_model.hpp"

#include <functional>
#include <numeric>

namespace lockstep::storage {
namespace {

// Values that float32 holds exactly and that all differ.
NamedArray array(const char* layer, const char* name, std::vector<std::int64_t> shape,
                 float offset) {
    const auto count =
        std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    std::vector<float> values;
    for (std::int64_t i = 0; i < count; ++i)
        values.push_back(offset + 0.125F * static_cast<float>(i));
    return {layer, name, std::move(shape), std::move(values)};
}

}  // namespace

KerasModel sample_model() {
    KerasModel model;
    model.name = "three-class";
    model.layers = {
        {"input_1", "InputLayer",
         R"({"batch_input_shape":[null,4,4,3],"dtype":"float32","sparse":false,"ragged":false,"name":"input_1"})"},
        {"conv2d", "Conv2D",
         R"({"name":"conv2d","trainable":true,"dtype":"float32","filters":2,"kernel_size":[2,2],"strides":[1,1],"padding":"same","data_format":"channels_last","activation":"relu","use_bias":true})"},
        {"batch_normalization", "BatchNormalization",
         R"({"name":"batch_normalization","trainable":true,"dtype":"float32","axis":[3],"momentum":0.99,"epsilon":0.001,"center":true,"scale":true})"},
        {"flatten", "Flatten",
         R"({"name":"flatten","trainable":true,"dtype":"float32","data_format":"channels_last"})"},
        {"dense", "Dense",
         R"({"name":"dense","trainable":true,"dtype":"float32","units":3,"activation":"softmax","use_bias":true})"}};
    model.training_config_json =
        R"({"loss":"sparse_categorical_crossentropy","metrics":["accuracy"],"weighted_metrics":null,"loss_weights":null,"optimizer_config":{"class_name":"Adam","config":{"name":"adam","learning_rate":0.001}}})";
    return model;
}

NamedArrays sample_weights() {
    return {array("conv2d", "kernel", {2, 2, 3, 2}, 1.0F),
            array("conv2d", "bias", {2}, 100.0F),
            array("batch_normalization", "gamma", {2}, 200.0F),
            array("batch_normalization", "beta", {2}, 300.0F),
            array("batch_normalization", "moving_mean", {2}, 400.0F),
            array("batch_normalization", "moving_variance", {2}, 500.0F),
            array("dense", "kernel", {32, 3}, 600.0F),
            array("dense", "bias", {3}, -1.0F)};
}

CheckpointState sample_state() {
    CheckpointState state;
    state.run = "three-class-0123abcd";
    state.seed = 0xfedcba9876543210U;
    state.config_digest = "c0";
    state.data_digest = "d0";
    state.lockstep_version = "0.1.0";
    state.onednn_version = "2.6.3";
    state.isa = "avx512_core";
    state.simd_target = "AVX3";
    state.arithmetic = 2;
    state.epochs_finished = 3;
    state.steps_taken = 5'000'000'000;
    state.so_far = {7, -1.0 / 3.0, 40, 5'000'000'000};
    state.stopped_early = true;
    state.weights = sample_weights();
    state.slots["momentum"] = {array("conv2d", "kernel", {2, 2, 3, 2}, 0.5F),
                               array("dense", "kernel", {32, 3}, 0.25F)};
    state.slots["velocity"] = {array("conv2d", "bias", {2}, 0.75F)};
    state.early_stopping = BestValue{0.1, 2, 1};
    state.checkpoint = BestValue{-1.0 / 3.0, 3, 0};
    state.plateau = PlateauProgress{BestValue{0.7, 1, 2}, 1, 3, 1.0 / 1024.0};
    state.early_stopping_weights = sample_weights();
    state.checkpoint_weights = {array("dense", "bias", {3}, 9.0F)};
    state.further = {
        {"learning_rate", 1e-3}, {"note", std::string("\xc3\xa9pilogue")}, {"k", std::int64_t{-7}}};
    return state;
}

}  // namespace lockstep::storage
