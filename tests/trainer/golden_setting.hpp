#pragma once

// The setting of the golden steps, drawn from counters: tests/golden/README.md.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/tutorial_networks.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/parameters/named_tensor.hpp"

namespace lockstep::tests {

inline constexpr trainer::Shape kGoldenImage{32, 32, 3, false};

double golden_unit(std::uint64_t counter);  // u(x), in [0, 1)

// The tutorials' without dropout, and one of all kinds of convolutions.
std::vector<TutorialNetwork> golden_networks();

// NAME.json of tests/golden/.
nlohmann::json golden_steps(const std::string& name);

trainer::ImageSet golden_images(std::uint64_t count, std::uint64_t classes);
trainer::RunData golden_data(int classes, std::uint64_t count);
// As networks take them: [images, height, width, channels], divided by 255.
std::vector<float> golden_input(const trainer::ImageSet& images);
// The kernel number `number` of a network.
std::vector<float> golden_kernel(std::uint64_t seed, std::uint64_t number,
                                 const std::vector<std::int64_t>& shape);
trainer::NamedTensors golden_weights(const TutorialNetwork& network, std::uint64_t seed);
// Largest error of norms and projections, relative to the norm, or to `least_norm` where that is
// greater; infinite for a tensor without a summary.
double largest_golden_error(const trainer::NamedTensors& tensors, const nlohmann::json& summaries,
                            double least_norm = 0.0);
// One epoch of all its steps, unshuffled.
trainer::RunConfig golden_run(const TutorialNetwork& network, const nlohmann::json& steps);

}  // namespace lockstep::tests
