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
trainer::NamedTensors golden_weights(const TutorialNetwork& network, std::uint64_t seed);
// One epoch of all its steps, unshuffled.
trainer::RunConfig golden_run(const TutorialNetwork& network, const nlohmann::json& steps);

}  // namespace lockstep::tests
