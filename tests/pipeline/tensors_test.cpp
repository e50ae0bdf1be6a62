#include "pipeline/recording/tensors.hpp"

#include <limits>
#include <string>
#include <utility>

#include "tests/support/catch.hpp"
#include "trainer/config/errors.hpp"

namespace lockstep::pipeline {
namespace {

// conv2d: kernel (1, 1, 3, 2), bias (2); dense: kernel (2, 10).
trainer::Architecture architecture() {
    trainer::Architecture result;
    result.layers.resize(3);
    result.layers[0].name = "conv2d";
    result.layers[0].parameters = {{"kernel", {1, 1, 3, 2}}, {"bias", {2}}};
    result.layers[1].name = "flatten";
    result.layers[2].name = "dense";
    result.layers[2].parameters = {{"kernel", {2, 10}}};
    return result;
}

storage::NamedArrays arrays() {
    return {{"conv2d_7", "kernel", {1, 1, 3, 2}, std::vector<float>(6, 0.5F)},
            {"conv2d_7", "bias", {2}, {1.0F, 2.0F}},
            {"probabilities", "kernel", {2, 10}, std::vector<float>(20, 0.25F)}};
}

storage::ModelFile file_of(storage::NamedArrays arrays) {
    storage::ModelFile file;
    file.weights = std::move(arrays);
    return file;
}

std::string misfit(const storage::NamedArrays& arrays) {
    try {
        to_tensors(file_of(arrays), architecture(), "keras.h5");
    } catch (const trainer::WeightsError& error) {
        return error.what();
    }
    return "fits";
}

TEST_CASE("A Keras file's weights are taken in their order, under the network's own names") {
    const trainer::NamedTensors tensors = to_tensors(file_of(arrays()), architecture(), "keras.h5");
    REQUIRE(tensors.size() == 3);
    CHECK(tensors[0].layer == "conv2d");
    CHECK(tensors[1] == trainer::NamedTensor{"conv2d", "bias", {2}, {1.0F, 2.0F}});
    CHECK(tensors[2].layer == "dense");
}

TEST_CASE("Weights that are no numbers are refused with the file, the layer and the value") {
    storage::NamedArrays with_nan = arrays();
    with_nan[1].values[1] = std::numeric_limits<float>::infinity();
    CHECK(misfit(with_nan) ==
          "keras.h5: conv2d/bias holds inf (value 2 of 2); weights must be finite numbers");
}

TEST_CASE("Weights of another network are refused with layer, needed and found") {
    storage::NamedArrays transposed = arrays();
    transposed[2].shape = {10, 2};
    CHECK(misfit(transposed) ==
          "keras.h5 is of another network: layer \"dense\" needs kernel (2, 10), found "
          "probabilities/kernel (10, 2)");
    storage::NamedArrays missing = arrays();
    missing.pop_back();
    CHECK(misfit(missing) ==
          "keras.h5 is of another network: layer \"dense\" needs kernel (2, 10), found no further "
          "weights");
    storage::NamedArrays extra = arrays();
    extra.push_back({"dense_1", "bias", {10}, std::vector<float>(10)});
    CHECK(misfit(extra).find("dense_1/bias (10)") != std::string::npos);
}

TEST_CASE("A training state comes back whole from its checkpoint") {
    trainer::TrainState state;
    state.epochs_finished = 3;
    state.steps_taken = 41;
    state.weights = to_tensors(file_of(arrays()), architecture(), "");
    state.slots = {{"momentum", {state.weights[0]}}, {"velocity", {state.weights[1]}}};
    state.early_stopping = trainer::BestSoFar{0.25, 2, 1};
    state.checkpoint_weights = {state.weights[2]};
    state.plateau = trainer::PlateauSoFar{{0.75, 1, 2}, 1, 3, 0.125};
    state.stopped_early = true;

    storage::CheckpointState checkpoint;
    put_state(state, checkpoint);
    const trainer::TrainState back = train_state(checkpoint);
    CHECK(back.epochs_finished == 3);
    CHECK(back.steps_taken == 41);
    CHECK(back.weights == state.weights);
    CHECK(back.slots == state.slots);
    CHECK(back.early_stopping == state.early_stopping);
    CHECK_FALSE(back.checkpoint.has_value());
    CHECK(back.plateau == state.plateau);
    CHECK(back.early_stopping_weights.empty());
    CHECK(back.checkpoint_weights == state.checkpoint_weights);
    CHECK(back.stopped_early);
}

}  // namespace
}  // namespace lockstep::pipeline
