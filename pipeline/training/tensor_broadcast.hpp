#pragma once

// How rank 0 shares with the others what it alone read from a file.

#include <optional>

#include "trainer/exchange/communicator.hpp"
#include "trainer/parameters/named_tensor.hpp"
#include "trainer/train_observer.hpp"

namespace lockstep::pipeline {

// Rank 0's tensors or state, or nothing, on every rank. Collective.
std::optional<trainer::NamedTensors> broadcast_tensors(
    const trainer::Communicator& comm, const std::optional<trainer::NamedTensors>& tensors);
std::optional<trainer::TrainState> broadcast_state(const trainer::Communicator& comm,
                                                   const std::optional<trainer::TrainState>& state);

}  // namespace lockstep::pipeline
