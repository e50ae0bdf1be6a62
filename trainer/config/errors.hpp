#pragma once

// What can go wrong on data, weights and numbers. (ShapeError stands with the architecture,
// CommError with the communicator.)

#include <cstdint>
#include <stdexcept>
#include <string>

namespace lockstep::trainer {

// Data files that are missing, damaged, or not to be read for an error of the disk (unreadable).
// what() names the file, what was expected and what to do.
class DataError : public std::runtime_error {
public:
    enum class Kind { missing, damaged, unreadable, bad_request };
    DataError(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
    Kind kind() const { return kind_; }

private:
    Kind kind_;
};

// Throws DataError (damaged): "ORIGIN: what".
[[noreturn]] void throw_damaged(const std::string& origin, const std::string& what);

// Training left the numbers. Thrown on every rank alike.
class NonFiniteNumbers : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// The loss of a step was NaN or infinite. Thrown on every rank in the same step, before its update.
class NonFiniteLoss : public NonFiniteNumbers {
public:
    // origin: where the first such number was found
    NonFiniteLoss(int epoch, std::int64_t step, double loss, const std::string& origin);
    int epoch() const { return epoch_; }
    std::int64_t step() const { return step_; }

private:
    int epoch_;
    std::int64_t step_;
};

// A weight, a moving statistic or an optimizer's slot was NaN or infinite at the end of an epoch.
class NonFiniteWeights : public NonFiniteNumbers {
public:
    // found: which one, as non_finite_value() says it
    NonFiniteWeights(int epoch, const std::string& found);
    int epoch() const { return epoch_; }

private:
    int epoch_;
};

// Ranks that should hold equal weights, or equal data, do not. Names the first rank that differs.
class ReplicaError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Weights that do not fit the network, or are no finite numbers. Names the layer, what it expects
// and what was found.
class WeightsError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

}  // namespace lockstep::trainer
