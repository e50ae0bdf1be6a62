// Falls of the learning rate against Keras' callback, written as it is there.
#include "trainer/plateau.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

constexpr double kRate = 0.5;

EpochRecord epoch_with(int epoch, double val_loss) {
    EpochRecord record;
    record.epoch = epoch;
    record.validation = Metrics{.loss = val_loss, .accuracy = 1.0 - val_loss, .count = 1};
    return record;
}

// Rates after each of the epochs.
std::vector<double> rates_of(const PlateauSchedule& config, const std::vector<double>& losses) {
    Plateau plateau(config, kRate, std::nullopt);
    std::vector<double> rates;
    for (std::size_t i = 0; i < losses.size(); ++i) {
        plateau.take(epoch_with(static_cast<int>(i) + 1, losses[i]));
        rates.push_back(plateau.learning_rate());
    }
    return rates;
}

// keras.callbacks.ReduceLROnPlateau.on_epoch_end of Keras 3, mode "min".
std::vector<double> rates_of_keras(const PlateauSchedule& config,
                                   const std::vector<double>& losses) {
    double best = std::numeric_limits<double>::infinity(), learning_rate = kRate;
    int wait = 0, cooldown_counter = 0;
    std::vector<double> rates;
    for (const double current : losses) {
        if (cooldown_counter > 0) {
            cooldown_counter -= 1;
            wait = 0;
        }
        if (current < best - config.monitor.min_delta) {
            best = current;
            wait = 0;
        } else if (!(cooldown_counter > 0)) {
            wait += 1;
            if (wait >= config.patience && learning_rate > config.min_learning_rate) {
                learning_rate = std::max(learning_rate * config.factor, config.min_learning_rate);
                cooldown_counter = config.cooldown;
                wait = 0;
            }
        }
        rates.push_back(learning_rate);
    }
    return rates;
}

PlateauSchedule val_loss_plateau() {
    return {.monitor = {.metric = "val_loss", .min_delta = 0.01}, .factor = 0.5, .patience = 2};
}

}  // namespace

TEST_CASE("the rate falls once so many epochs have not improved", "[trainer][plateau]") {
    PlateauSchedule config = val_loss_plateau();
    CHECK(rates_of(config, {1.0, 0.5, 0.6, 0.4, 0.395, 0.41, 0.4, 0.4}) ==
          std::vector{0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125});
    config.cooldown = 2;
    CHECK(rates_of(config, {1.0, 1.0, 1.0, 1.0, 1.0, 1.0}) ==
          std::vector{0.5, 0.5, 0.25, 0.25, 0.25, 0.125});
    config.min_learning_rate = 0.2;
    CHECK(rates_of(config, {1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0}).back() == 0.2);
}

TEST_CASE("the rate falls where Keras' falls, whatever comes", "[trainer][plateau]") {
    RandomValues random(11);
    int falls = 0;
    for (int trial = 0; trial < 300; ++trial) {
        PlateauSchedule config = val_loss_plateau();
        config.patience = static_cast<int>(random.below(5));
        config.cooldown = static_cast<int>(random.below(4));
        config.min_learning_rate = 0.1 * random.below(3);
        std::vector<double> losses;
        for (const float loss : random.floats(40, 0.0, 1.0))
            losses.push_back(static_cast<double>(loss) /
                             (1.0 + static_cast<double>(losses.size())));
        if (trial % 3 == 0) losses[4] = std::numeric_limits<double>::quiet_NaN();
        CAPTURE(trial, config.patience, config.cooldown, config.min_learning_rate);
        const auto rates = rates_of(config, losses);
        CHECK(rates == rates_of_keras(config, losses));
        falls += rates.back() < kRate;
    }
    CHECK(falls > 200);
}

TEST_CASE("accuracies improve upwards", "[trainer][plateau]") {
    PlateauSchedule config = val_loss_plateau();
    config.monitor = {.metric = "val_accuracy", .mode = MonitorMode::max, .min_delta = 0.01};
    CHECK(rates_of(config, {1.0, 0.5, 0.6, 0.6}) == std::vector{0.5, 0.5, 0.5, 0.25});
}

TEST_CASE("from its state after any epoch it goes on as if nothing had been",
          "[trainer][plateau]") {
    PlateauSchedule config = val_loss_plateau();
    config.cooldown = 1;
    RandomValues random(3);
    std::vector<double> losses;
    for (const float loss : random.floats(20, 0.0, 1.0))
        losses.push_back(static_cast<double>(loss));
    for (std::size_t cut = 0; cut <= losses.size(); ++cut) {
        Plateau before(config, kRate, std::nullopt);
        for (std::size_t i = 0; i < cut; ++i)
            before.take(epoch_with(static_cast<int>(i) + 1, losses[i]));
        Plateau after(config, kRate, before.so_far());
        CHECK(after.learning_rate() == before.learning_rate());
        for (std::size_t i = cut; i < losses.size(); ++i)
            after.take(epoch_with(static_cast<int>(i) + 1, losses[i]));
        CHECK(after.learning_rate() == rates_of(config, losses).back());
    }
}
