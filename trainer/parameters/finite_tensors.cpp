#include "trainer/parameters/finite_tensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "trainer/config/errors.hpp"
#include "trainer/kernels/elementwise.hpp"

namespace lockstep::trainer {

std::string non_finite_value(const NamedTensors& tensors) {
    for (const NamedTensor& tensor : tensors) {
        if (all_finite(tensor.values.data(), tensor.values.size())) continue;
        const auto found =
            std::ranges::find_if(tensor.values, [](float value) { return !std::isfinite(value); });
        return fmt::format("{}/{} holds {} (value {} of {})", tensor.layer, tensor.name, *found,
                           found - tensor.values.begin() + 1, tensor.values.size());
    }
    return {};
}

void require_finite(const NamedTensors& tensors, const std::string& origin) {
    const std::string found = non_finite_value(tensors);
    if (found.empty()) return;
    throw WeightsError(fmt::format("{}: {}; weights must be finite numbers", origin, found));
}

}  // namespace lockstep::trainer
