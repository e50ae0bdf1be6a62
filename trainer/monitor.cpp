#include "trainer/monitor.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>

namespace lockstep::trainer {

double Monitor::value_of(const EpochRecord& epoch) const {
    if (config_.metric == "loss") return epoch.training.loss;
    if (config_.metric == "accuracy") return epoch.training.accuracy;
    if (!epoch.validation) return std::numeric_limits<double>::quiet_NaN();
    if (config_.metric == "val_loss") return epoch.validation->loss;
    // A class is predicted from a NaN too, always the first one: of that nothing is the best.
    if (std::isnan(epoch.validation->loss)) return epoch.validation->loss;
    if (config_.metric == "val_accuracy") return epoch.validation->accuracy;
    if (config_.metric == "val_top_5_accuracy" && epoch.validation->top_5_accuracy)
        return *epoch.validation->top_5_accuracy;
    throw std::invalid_argument("no metric is called " + config_.metric);
}

bool Monitor::improves(const EpochRecord& epoch) {
    const double value = value_of(epoch);
    const bool is_first = best_.epoch == 0 && !std::isnan(value);
    const bool is_better = config_.mode == MonitorMode::max
                               ? value > best_.value + config_.min_delta
                               : value < best_.value - config_.min_delta;
    if (is_first || is_better) {
        best_ = {.value = value, .epoch = epoch.epoch, .epochs_since = 0};
        return true;
    }
    ++best_.epochs_since;
    return false;
}

}  // namespace lockstep::trainer
