#pragma once

// Follows one metric over the epochs, as Keras' EarlyStopping and ModelCheckpoint do.

#include "trainer/config/train_config.hpp"
#include "trainer/train_observer.hpp"

namespace lockstep::trainer {

class Monitor {
public:
    Monitor(const MonitorConfig& config, const BestSoFar& so_far)
        : config_(config), best_(so_far) {}

    // Takes an epoch's figures. True if they are the best so far; a NaN never is.
    bool improves(const EpochRecord& epoch);
    const BestSoFar& best() const { return best_; }

private:
    double value_of(const EpochRecord& epoch) const;

    MonitorConfig config_;
    BestSoFar best_;
};

}  // namespace lockstep::trainer
