#pragma once

#include <optional>
#include <utility>

#include "trainer/monitor.hpp"
#include "trainer/network/network.hpp"
#include "trainer/parameters/named_tensor.hpp"
#include "trainer/train_observer.hpp"

namespace lockstep::trainer {

// A monitor with the weights of its best epoch, where they will be wanted again.
class BestEpoch {
public:
    BestEpoch(const MonitorConfig& config, bool keeps_weights,
              const std::optional<BestSoFar>& so_far, NamedTensors weights)
        : monitor_(config, so_far.value_or(BestSoFar{})),
          keeps_weights_(keeps_weights),
          weights_(std::move(weights)) {}

    bool take(const EpochRecord& epoch, const Network& network) {
        const bool is_best = monitor_.improves(epoch);
        if (is_best && keeps_weights_) weights_ = network.parameters().weights();
        return is_best;
    }
    const BestSoFar& best() const { return monitor_.best(); }
    const NamedTensors& weights() const { return weights_; }
    bool can_restore() const { return keeps_weights_ && best().epoch > 0; }

private:
    Monitor monitor_;
    bool keeps_weights_;
    NamedTensors weights_;
};

}  // namespace lockstep::trainer
