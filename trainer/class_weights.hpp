#pragma once

// Factors of the samples' losses by their labels: Keras' fit(class_weight).

#include <span>
#include <vector>

#include "trainer/config/label.hpp"
#include "trainer/config/train_config.hpp"

namespace lockstep::trainer {

// Shape [classes]; empty where all count the same. Balanced, as in scikit-learn's
// compute_class_weight("balanced"):
//   weight of a class = samples / (classes that have samples x samples of the class)
// so that every class weighs the same in the sum, and the mean over all samples is 1. A class
// without samples has weight 0, which nothing is multiplied by.
//   labels   of all training samples
std::vector<double> class_weights(const ClassWeightConfig& config, std::span<const Label> labels,
                                  int classes);

}  // namespace lockstep::trainer
