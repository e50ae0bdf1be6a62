#include "pipeline/training/tensor_broadcast.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace lockstep::pipeline {
namespace {

using trainer::BestSoFar;
using trainer::NamedTensor;
using trainer::NamedTensors;
using trainer::PlateauSoFar;
using trainer::TrainState;

// Plain values one after the other, in memory order: all ranks of a job run the same program on
// machines of one kind.
class Packer {
public:
    template <class Number>
    void number(Number value) {
        static_assert(std::is_arithmetic_v<Number>);
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void text(std::string_view value) {
        number(value.size());
        bytes_ += value;
    }
    template <class Number>
    void numbers(const std::vector<Number>& values) {
        number(values.size());
        bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Number));
    }
    void tensors(const NamedTensors& tensors) {
        number(tensors.size());
        for (const NamedTensor& tensor : tensors) {
            text(tensor.layer);
            text(tensor.name);
            numbers(tensor.shape);
            numbers(tensor.values);
        }
    }
    void best(const std::optional<BestSoFar>& best) {
        number(best.has_value());
        const BestSoFar value = best.value_or(BestSoFar{});
        number(value.value);
        number(value.epoch);
        number(value.epochs_since);
    }
    void plateau(const std::optional<PlateauSoFar>& plateau) {
        const PlateauSoFar value = plateau.value_or(PlateauSoFar{});
        best(plateau ? std::optional(value.best) : std::nullopt);
        number(value.epochs_waited);
        number(value.cooldown);
        number(value.learning_rate);
    }
    std::string take() { return std::move(bytes_); }

private:
    std::string bytes_;
};

class Unpacker {
public:
    explicit Unpacker(std::string_view bytes) : bytes_(bytes) {}

    template <class Number>
    Number number() {
        Number value{};
        std::memcpy(&value, take(sizeof value).data(), sizeof value);
        return value;
    }
    std::string text() { return std::string(take(number<std::size_t>())); }
    template <class Number>
    std::vector<Number> numbers() {
        std::vector<Number> values(number<std::size_t>());
        const std::string_view bytes = take(values.size() * sizeof(Number));
        std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(values.data()));
        return values;
    }
    NamedTensors tensors() {
        NamedTensors tensors(number<std::size_t>());
        for (NamedTensor& tensor : tensors) {
            tensor.layer = text();
            tensor.name = text();
            tensor.shape = numbers<std::int64_t>();
            tensor.values = numbers<float>();
        }
        return tensors;
    }
    std::optional<BestSoFar> best() {
        const bool has_value = number<bool>();
        BestSoFar value;
        value.value = number<double>();
        value.epoch = number<int>();
        value.epochs_since = number<int>();
        return has_value ? std::optional(value) : std::nullopt;
    }
    std::optional<PlateauSoFar> plateau() {
        const auto reached = best();
        PlateauSoFar value{.best = reached.value_or(BestSoFar{})};
        value.epochs_waited = number<int>();
        value.cooldown = number<int>();
        value.learning_rate = number<double>();
        return reached ? std::optional(value) : std::nullopt;
    }

private:
    std::string_view take(std::size_t count) {
        const std::string_view front = bytes_.substr(0, count);
        bytes_.remove_prefix(count);
        return front;
    }
    std::string_view bytes_;
};

std::string packed(const TrainState& state) {
    Packer packer;
    packer.number(state.epochs_finished);
    packer.number(state.steps_taken);
    packer.number(state.so_far.steps);
    packer.number(state.so_far.loss_sum);
    packer.number(state.so_far.correct);
    packer.number(state.so_far.count);
    packer.number(state.stopped_early);
    packer.tensors(state.weights);
    packer.number(state.slots.size());
    for (const auto& [name, tensors] : state.slots) {
        packer.text(name);
        packer.tensors(tensors);
    }
    packer.best(state.early_stopping);
    packer.best(state.checkpoint);
    packer.plateau(state.plateau);
    packer.tensors(state.early_stopping_weights);
    packer.tensors(state.checkpoint_weights);
    return packer.take();
}

TrainState unpacked_state(std::string_view bytes) {
    Unpacker unpacker(bytes);
    TrainState state;
    state.epochs_finished = unpacker.number<int>();
    state.steps_taken = unpacker.number<std::int64_t>();
    state.so_far.steps = unpacker.number<std::int64_t>();
    state.so_far.loss_sum = unpacker.number<double>();
    state.so_far.correct = unpacker.number<std::int64_t>();
    state.so_far.count = unpacker.number<std::int64_t>();
    state.stopped_early = unpacker.number<bool>();
    state.weights = unpacker.tensors();
    const auto slots = unpacker.number<std::size_t>();
    for (std::size_t i = 0; i < slots; ++i) {
        std::string name = unpacker.text();
        state.slots[std::move(name)] = unpacker.tensors();
    }
    state.early_stopping = unpacker.best();
    state.checkpoint = unpacker.best();
    state.plateau = unpacker.plateau();
    state.early_stopping_weights = unpacker.tensors();
    state.checkpoint_weights = unpacker.tensors();
    return state;
}

}  // namespace

std::optional<NamedTensors> broadcast_tensors(const trainer::Communicator& comm,
                                              const std::optional<NamedTensors>& tensors) {
    if (comm.size() == 1) return tensors;
    Packer packer;
    if (tensors) packer.tensors(*tensors);
    const std::string bytes = comm.broadcast_text(packer.take());
    if (bytes.empty()) return std::nullopt;
    return Unpacker(bytes).tensors();
}

std::optional<TrainState> broadcast_state(const trainer::Communicator& comm,
                                          const std::optional<TrainState>& state) {
    if (comm.size() == 1) return state;
    const std::string bytes = comm.broadcast_text(state ? packed(*state) : std::string());
    if (bytes.empty()) return std::nullopt;
    return unpacked_state(bytes);
}

}  // namespace lockstep::pipeline
