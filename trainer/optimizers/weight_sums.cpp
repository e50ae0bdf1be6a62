#include "trainer/optimizers/weight_sums.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace lockstep::trainer {

Penalty::Penalty(std::vector<WeightRange> ranges, std::size_t weights, int ranks)
    : ranges_(std::move(ranges)), sum_(weights, ranks) {}

void Penalty::take(std::size_t first, std::span<const float> weights) {
    for_each_range(ranges_, first, weights.size(),
                   [&](std::size_t begin, std::size_t count, const WeightRange* range) {
                       if (range != nullptr && range->l2 > 0.0)
                           sum_.add(begin, weights.subspan(begin - first, count), range->l2);
                       else
                           sum_.add_nothing(begin, count);
                   });
}

double Penalty::of(std::span<const float> weights) {
    begin();
    take(0, weights);
    return sum_.own_total();
}

GradientNorm::GradientNorm(std::vector<WeightRange> ranges, std::size_t weights, int ranks)
    : ranges_(std::move(ranges)), sum_(weights, ranks) {}

void GradientNorm::take(std::size_t first, std::span<const float> gradient,
                        std::span<const float> weights) {
    std::array<float, 1024> whole;  // gradients with that of a regularizer
    const auto add = [&](std::size_t begin, std::size_t count, const WeightRange* range) {
        const std::size_t at = begin - first;
        if (range != nullptr && !range->is_trained_at(step_)) return sum_.add_nothing(begin, count);
        if (range == nullptr || range->l2 == 0.0)
            return sum_.add(begin, gradient.subspan(at, count));
        const auto slope = static_cast<float>(2.0 * range->l2);
        for (std::size_t done = 0; done < count; done += whole.size()) {
            const std::size_t floats = std::min(whole.size(), count - done);
            for (std::size_t i = 0; i < floats; ++i)
                whole[i] = gradient[at + done + i] + slope * weights[at + done + i];
            sum_.add(begin + done, std::span(whole).first(floats));
        }
    };
    for_each_range(ranges_, first, gradient.size(), add);
}

double GradientNorm::total(const Communicator& comm) { return std::sqrt(sum_.total(comm)); }

}  // namespace lockstep::trainer
