#include "trainer/config/errors.hpp"

#include <fmt/format.h>

namespace lockstep::trainer {

NonFiniteLoss::NonFiniteLoss(int epoch, std::int64_t step, double loss)
    : std::runtime_error(fmt::format("the loss became {} in epoch {}, step {}; a lower learning "
                                     "rate or scaled pixels may help",
                                     loss, epoch, step)),
      epoch_(epoch),
      step_(step) {}

}  // namespace lockstep::trainer
