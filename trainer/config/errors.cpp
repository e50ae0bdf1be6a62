#include "trainer/config/errors.hpp"

#include <fmt/format.h>

#include <cmath>

namespace lockstep::trainer {

void throw_damaged(const std::string& origin, const std::string& what) {
    throw DataError(DataError::Kind::damaged, fmt::format("{}: {}", origin, what));
}

NonFiniteLoss::NonFiniteLoss(int epoch, std::int64_t step, double loss, const std::string& origin)
    : NonFiniteNumbers(fmt::format("the loss became {} in epoch {}, step {}: {}; a lower learning "
                                   "rate or scaled pixels may help",
                                   std::isnan(loss) ? "nan"
                                   : loss > 0       ? "inf"
                                                    : "-inf",
                                   epoch, step, origin)),
      epoch_(epoch),
      step_(step) {}

NonFiniteWeights::NonFiniteWeights(int epoch, const std::string& found)
    : NonFiniteNumbers(fmt::format("after epoch {} {}; a lower learning rate or scaled pixels may "
                                   "help",
                                   epoch, found)),
      epoch_(epoch) {}

}  // namespace lockstep::trainer
