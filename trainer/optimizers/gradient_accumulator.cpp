#include "trainer/optimizers/gradient_accumulator.hpp"

#include <algorithm>

#include "trainer/config/out_of_memory.hpp"
#include "trainer/kernels/elementwise.hpp"

namespace lockstep::trainer {

GradientAccumulator::GradientAccumulator(std::int64_t steps, std::size_t weights)
    : steps_(steps),
      sums_(in_memory_for("the gradients that are accumulated", weights * sizeof(float),
                          [&] { return AlignedArray<float>(weights); })) {}

bool GradientAccumulator::begin_step(std::int64_t step) {
    is_last_ = (step + 1) % steps_ == 0;
    return is_last_;
}

std::span<const float> GradientAccumulator::add(std::size_t first,
                                                std::span<const float> gradient) {
    const std::span<float> sum = sums_.span().subspan(first, gradient.size());
    add_to(sum.data(), gradient.data(), sum.size());
    if (is_last_)
        for (float& value : sum) value /= static_cast<float>(steps_);
    return sum;
}

std::span<const float> GradientAccumulator::sum(std::size_t first, std::size_t count) {
    return sums_.span().subspan(first, count);
}

void GradientAccumulator::clear(std::size_t first, std::size_t count) {
    std::ranges::fill(sums_.span().subspan(first, count), 0.0F);
}

}  // namespace lockstep::trainer
