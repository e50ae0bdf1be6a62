#pragma once

// Which weights are updated in which way, as ranges of the flat array of all weights.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "trainer/config/train_config.hpp"
#include "trainer/parameters/parameters.hpp"

namespace lockstep::trainer {

inline constexpr std::int64_t kAllSteps = std::numeric_limits<std::int64_t>::max();

// Weights first .. first + count - 1.
struct WeightRange {
    std::size_t first = 0, count = 0;
    bool decays = false;       // by the optimizer's weight decay
    double l2 = 0.0;           // l2 x the sum of their squares is part of the loss
    double rate_factor = 1.0;  // of the learning rate, by which they decay, too
    // So many steps of the run change them; from then on they stay, with their slots.
    std::int64_t trained_steps = kAllSteps;
    bool takes_muon = false;  // and not AdamW, of that optimizer

    bool is_trained_at(std::int64_t step) const { return step < trained_steps; }
};

// In order, without overlap, and none for what has nothing of it.
//   steps_per_epoch   what tensors that are trained in the first epochs alone are counted by
std::vector<WeightRange> weight_ranges(const OptimizerConfig& optimizer,
                                       std::span<const LayerConfig> layers,
                                       const Parameters& parameters, std::int64_t steps_per_epoch);

// Of a tensor of that name; kAllSteps where the layer says nothing of it.
std::int64_t trained_steps_of(const LayerConfig& layer, const std::string& tensor,
                              std::int64_t steps_per_epoch);

bool has_l2(std::span<const WeightRange> ranges);

// Calls visit(first, count, range) for the pieces of `count` weights from `first` on that lie in
// one range each, or in none (null).
template <class Visit>
void for_each_range(std::span<const WeightRange> ranges, std::size_t first, std::size_t count,
                    Visit visit) {
    const std::size_t end = first + count;
    const auto visit_up_to = [&](std::size_t next, const WeightRange* range) {
        next = next < end ? next : end;
        if (next <= first) return;
        visit(first, next - first, range);
        first = next;
    };
    // Of a thousand ranges only those count that a piece may touch.
    auto range = std::ranges::partition_point(
        ranges, [first](const WeightRange& one) { return one.first + one.count <= first; });
    for (; range != ranges.end() && range->first < end; ++range) {
        visit_up_to(range->first, nullptr);
        visit_up_to(range->first + range->count, &*range);
    }
    visit_up_to(end, nullptr);
}

}  // namespace lockstep::trainer
