#pragma once

// Loss, accuracy and probabilities of given weights.

#include <vector>

#include "trainer/config/train_config.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/exchange/communicator.hpp"
#include "trainer/parameters/named_tensor.hpp"
#include "trainer/train_observer.hpp"

namespace lockstep::trainer {

struct Evaluation {
    Metrics metrics;
    std::vector<float> probabilities;  // [samples, classes], on rank 0 only
};

// Evaluates weights on samples, in inference mode. Collective.
//   views   what is evaluated: the mean over them of a sample's logits
// Throws WeightsError if the weights do not fit the network, or hold a NaN or an infinity.
Evaluation evaluate(const RunConfig& config, const NamedTensors& weights, const RunData& data,
                    const SampleSet& samples, const Communicator& comm,
                    TestViews views = TestViews::image);

}  // namespace lockstep::trainer
