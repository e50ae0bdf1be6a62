// Early stopping, and the weights of the best epoch.
#include <functional>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/tiny_training.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

// A run whose second epoch is its best: steps so long that the ReLUs die in the third.
RunConfig restless_run() {
    RunConfig config = tiny_run(plain_layers());
    config.train.epochs = 30;
    config.train.batch_size = 8;
    config.train.optimizer = {.learning_rate = 0.3, .rule = SgdConfig{.momentum = 0.9}};
    return config;
}

// The first epoch with the least value, from 1.
int best_epoch(const std::vector<EpochRecord>& epochs,
               const std::function<double(const EpochRecord&)>& value) {
    int best = 1;
    for (const EpochRecord& epoch : epochs)
        if (value(epoch) < value(epochs[static_cast<std::size_t>(best - 1)])) best = epoch.epoch;
    return best;
}

double val_loss(const EpochRecord& epoch) { return epoch.validation->loss; }

}  // namespace

TEST_CASE("early stopping: patience epochs after the best, whose weights come back",
          "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    RunConfig config = restless_run();
    config.train.early_stopping = EarlyStoppingConfig{
        .monitor = {.metric = "val_loss"}, .patience = 3, .restore_best_weights = true};
    const Trained trained = train_tiny(config, world);
    CHECK(trained.outcome.reason == StopReason::early_stopping);
    CHECK(trained.outcome.epochs_finished == trained.outcome.weights_epoch + 3);
    if (!world.is_root()) return;
    const int best = best_epoch(trained.seen.epochs, val_loss);
    CHECK(best > 1);  // else this shows little
    CHECK(trained.outcome.weights_epoch == best);
    CHECK(trained.seen.epochs.size() == static_cast<std::size_t>(best) + 3);
    CHECK(digest_of(trained.outcome.weights) ==
          digest_of(trained.seen.snapshots[static_cast<std::size_t>(best - 1)].state.weights));
    CHECK(trained.seen.snapshots.back().state.stopped_early);
}

TEST_CASE("early stopping without restoring ends with the last weights", "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    RunConfig config = tiny_run(plain_layers());
    config.train.epochs = 9;
    config.train.optimizer = {.learning_rate = 0.0, .rule = SgdConfig{}};  // never improves
    for (const int patience : {0, 1, 3}) {                                 // 0 is as 1, as in Keras
        CAPTURE(patience);
        config.train.early_stopping =
            EarlyStoppingConfig{.monitor = {.metric = "val_loss"}, .patience = patience};
        const Trained trained = train_tiny(config, world);
        CHECK(trained.outcome.reason == StopReason::early_stopping);
        CHECK(trained.outcome.epochs_finished == 1 + std::max(1, patience));
        CHECK(trained.outcome.weights_epoch == trained.outcome.epochs_finished);
    }
}

TEST_CASE("early stopping in the last epoch is the end of all epochs", "[trainer][mpi]") {
    RunConfig config = tiny_run(plain_layers());
    config.train.epochs = 3;
    config.train.optimizer = {.learning_rate = 0.0, .rule = SgdConfig{}};
    config.train.early_stopping =
        EarlyStoppingConfig{.monitor = {.metric = "val_loss"}, .patience = 2};
    const Trained trained = train_tiny(config, Communicator(MPI_COMM_WORLD));
    CHECK(trained.outcome.reason == StopReason::all_epochs);
    CHECK(trained.outcome.epochs_finished == 3);
}

TEST_CASE("checkpoint: marks every improvement, and is loaded back where asked", "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    RunConfig config = restless_run();
    config.train.epochs = 8;
    for (const bool restores : {false, true}) {
        CAPTURE(restores);
        config.train.checkpoint =
            CheckpointConfig{.monitor = {.metric = "val_loss"}, .restore_best_weights = restores};
        const Trained trained = train_tiny(config, world);
        CHECK(trained.outcome.reason == StopReason::all_epochs);
        if (!world.is_root()) continue;
        const auto& epochs = trained.seen.epochs;
        const int best = best_epoch(epochs, val_loss);
        CHECK(best < 8);  // else this shows nothing
        CHECK(trained.outcome.weights_epoch == (restores ? best : 8));
        const auto expected = static_cast<std::size_t>(trained.outcome.weights_epoch - 1);
        CHECK(digest_of(trained.outcome.weights) ==
              digest_of(trained.seen.snapshots[expected].state.weights));
        CHECK(bits_of(trained.outcome.test) == bits_of(*epochs[expected].validation));
        double least = HUGE_VAL;
        for (std::size_t i = 0; i < epochs.size(); ++i) {
            CHECK(trained.seen.snapshots[i].is_best == (val_loss(epochs[i]) < least));
            least = std::min(least, val_loss(epochs[i]));
        }
    }
}

TEST_CASE("where both would restore, the checkpoint's weights are the last word",
          "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    RunConfig config = restless_run();
    config.train.epochs = 8;
    config.train.early_stopping = EarlyStoppingConfig{
        .monitor = {.metric = "loss"}, .patience = 8, .restore_best_weights = true};
    config.train.checkpoint = CheckpointConfig{
        .monitor = {.metric = "loss", .mode = MonitorMode::max}, .restore_best_weights = true};
    const Trained trained = train_tiny(config, world);
    if (!world.is_root()) return;
    const auto loss = [](const EpochRecord& epoch) { return epoch.training.loss; };
    const int least = best_epoch(trained.seen.epochs, loss);
    const int most = best_epoch(trained.seen.epochs, [&](const auto& e) { return -loss(e); });
    CHECK(least != most);
    CHECK(trained.outcome.weights_epoch == most);
    CHECK(digest_of(trained.outcome.weights) ==
          digest_of(trained.seen.snapshots[static_cast<std::size_t>(most - 1)].state.weights));
}
