#pragma once

#include <filesystem>

namespace lockstep::tests {

// A store with two experiments, trained once for all tests of a program: "sweep", a grid of two
// learning rates and two widths (train.optimizer.learning_rate, layers.dense.units) with two seeds,
// and "other", one run that has the name of one of the sweep's architectures.
const std::filesystem::path& sweep_store();

}  // namespace lockstep::tests
