#pragma once

// Lets the learning rate fall where a figure has stopped improving, as Keras' ReduceLROnPlateau.

#include <optional>

#include "trainer/config/train_config.hpp"
#include "trainer/monitor.hpp"
#include "trainer/train_observer.hpp"

namespace lockstep::trainer {

class Plateau {
public:
    //   learning_rate   the optimizer's, to begin with
    //   so_far          where an attempt before had come; none: at the beginning
    Plateau(const PlateauSchedule& config, double learning_rate,
            const std::optional<PlateauSoFar>& so_far);

    // Takes an epoch's figures, once, in order.
    void take(const EpochRecord& epoch);
    double learning_rate() const { return state_.learning_rate; }  // of the epoch after
    const PlateauSoFar& so_far() const { return state_; }

private:
    PlateauSchedule config_;
    PlateauSoFar state_;
    Monitor monitor_;
};

}  // namespace lockstep::trainer
