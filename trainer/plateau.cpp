#include "trainer/plateau.hpp"

#include <algorithm>

namespace lockstep::trainer {

Plateau::Plateau(const PlateauSchedule& config, double learning_rate,
                 const std::optional<PlateauSoFar>& so_far)
    : config_(config),
      state_(so_far.value_or(PlateauSoFar{.learning_rate = learning_rate})),
      monitor_(config.monitor, state_.best) {}

void Plateau::take(const EpochRecord& epoch) {
    const bool is_better = monitor_.improves(epoch);
    state_.best = monitor_.best();
    if (state_.cooldown > 0) {
        --state_.cooldown;
        state_.epochs_waited = 0;
    }
    if (is_better) {
        state_.epochs_waited = 0;
        return;
    }
    if (state_.cooldown > 0 || ++state_.epochs_waited < config_.patience) return;
    if (state_.learning_rate <= config_.min_learning_rate) return;
    state_.learning_rate =
        std::max(state_.learning_rate * config_.factor, config_.min_learning_rate);
    state_.cooldown = config_.cooldown;
    state_.epochs_waited = 0;
}

}  // namespace lockstep::trainer
