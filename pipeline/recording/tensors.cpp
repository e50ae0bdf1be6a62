#include "pipeline/recording/tensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <utility>
#include <vector>

#include "pipeline/recording/matched_arrays.hpp"
#include "trainer/config/errors.hpp"
#include "trainer/parameters/finite_tensors.hpp"

namespace lockstep::pipeline {
namespace {

using trainer::BestSoFar;
using trainer::NamedTensor;
using trainer::NamedTensors;
using trainer::TrainState;

NamedTensors own_tensors(storage::NamedArrays arrays) {
    NamedTensors tensors;
    for (storage::NamedArray& array : arrays) {
        tensors.push_back({std::move(array.layer), std::move(array.name), std::move(array.shape),
                           std::move(array.values)});
    }
    return tensors;
}

std::optional<storage::BestValue> to_best_value(const std::optional<BestSoFar>& best) {
    if (!best) return std::nullopt;
    return storage::BestValue{best->value, best->epoch, best->epochs_since};
}

std::optional<BestSoFar> to_best_so_far(const std::optional<storage::BestValue>& best) {
    if (!best) return std::nullopt;
    return BestSoFar{best->value, best->epoch, best->epochs_since};
}

std::string described(const storage::NamedArray& array) {
    return fmt::format("{}/{} ({})", array.layer, array.name, fmt::join(array.shape, ", "));
}

struct ExpectedTensor {
    std::string layer;
    trainer::ParameterShape parameter;
};

std::vector<ExpectedTensor> expected_tensors(const trainer::Architecture& architecture) {
    std::vector<ExpectedTensor> expected;
    for (const trainer::LayerShape& layer : architecture.layers) {
        for (const auto& parameter : layer.parameters) expected.push_back({layer.name, parameter});
    }
    return expected;
}

[[noreturn]] void throw_misfit(const std::string& origin, const ExpectedTensor& expected,
                               const std::string& found) {
    throw trainer::WeightsError(fmt::format(
        "{} is of another network: layer \"{}\" needs {} ({}), found {}", origin, expected.layer,
        expected.parameter.name, fmt::join(expected.parameter.shape, ", "), found));
}

}  // namespace

storage::NamedArrays to_arrays(NamedTensors tensors) {
    storage::NamedArrays arrays;
    for (NamedTensor& tensor : tensors) {
        arrays.push_back({std::move(tensor.layer), std::move(tensor.name), std::move(tensor.shape),
                          std::move(tensor.values)});
    }
    return arrays;
}

NamedTensors to_tensors(storage::ModelFile file, const trainer::Architecture& architecture,
                        const std::string& origin) {
    const std::vector<ExpectedTensor> expected = expected_tensors(architecture);
    storage::NamedArrays arrays =
        matched_arrays(std::move(file.weights), file.places, architecture, origin);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        if (i >= arrays.size()) throw_misfit(origin, expected[i], "no further weights");
        if (arrays[i].shape != expected[i].parameter.shape) {
            throw_misfit(origin, expected[i], described(arrays[i]));
        }
        arrays[i].layer = expected[i].layer;
        arrays[i].name = expected[i].parameter.name;
    }
    if (arrays.size() > expected.size()) {
        throw trainer::WeightsError(fmt::format(
            "{} is of another network: it has {} weights, the network {}; the first "
            "one too many is {}",
            origin, arrays.size(), expected.size(), described(arrays[expected.size()])));
    }
    NamedTensors tensors = own_tensors(std::move(arrays));
    trainer::require_finite(tensors, origin);
    return tensors;
}

void put_state(TrainState state, storage::CheckpointState& checkpoint) {
    checkpoint.epochs_finished = state.epochs_finished;
    checkpoint.steps_taken = state.steps_taken;
    checkpoint.so_far = {state.so_far.steps, state.so_far.loss_sum, state.so_far.correct,
                         state.so_far.count};
    checkpoint.stopped_early = state.stopped_early;
    checkpoint.weights = to_arrays(std::move(state.weights));
    for (auto& [name, tensors] : state.slots)
        checkpoint.slots[name] = to_arrays(std::move(tensors));
    checkpoint.early_stopping = to_best_value(state.early_stopping);
    checkpoint.checkpoint = to_best_value(state.checkpoint);
    if (state.plateau)
        checkpoint.plateau = {*to_best_value(state.plateau->best), state.plateau->epochs_waited,
                              state.plateau->cooldown, state.plateau->learning_rate};
    checkpoint.early_stopping_weights = to_arrays(std::move(state.early_stopping_weights));
    checkpoint.checkpoint_weights = to_arrays(std::move(state.checkpoint_weights));
}

const storage::NamedArrays& evaluated_weights(const storage::CheckpointState& checkpoint) {
    const auto average = checkpoint.slots.find(trainer::kAverageSlot);
    return average == checkpoint.slots.end() ? checkpoint.weights : average->second;
}

TrainState train_state(storage::CheckpointState checkpoint) {
    TrainState state;
    state.epochs_finished = checkpoint.epochs_finished;
    state.steps_taken = checkpoint.steps_taken;
    state.so_far = {checkpoint.so_far.steps, checkpoint.so_far.loss_sum, checkpoint.so_far.correct,
                    checkpoint.so_far.count};
    state.stopped_early = checkpoint.stopped_early;
    state.weights = own_tensors(std::move(checkpoint.weights));
    for (auto& [name, arrays] : checkpoint.slots)
        state.slots[name] = own_tensors(std::move(arrays));
    state.early_stopping = to_best_so_far(checkpoint.early_stopping);
    state.checkpoint = to_best_so_far(checkpoint.checkpoint);
    if (const auto& plateau = checkpoint.plateau)
        state.plateau = {*to_best_so_far(plateau->best), plateau->epochs_waited, plateau->cooldown,
                         plateau->learning_rate};
    state.early_stopping_weights = own_tensors(std::move(checkpoint.early_stopping_weights));
    state.checkpoint_weights = own_tensors(std::move(checkpoint.checkpoint_weights));
    return state;
}

}  // namespace lockstep::pipeline
