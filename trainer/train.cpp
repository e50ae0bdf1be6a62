#include "trainer/train.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "trainer/training_run.hpp"

namespace lockstep::trainer {
namespace {

void check_ranks(const RunConfig& config, const Communicator& comm) {
    if (comm.size() > config.parallel.shards)
        throw std::invalid_argument(fmt::format("{} ranks are more than the {} shards of a batch",
                                                comm.size(), config.parallel.shards));
}

}  // namespace

TrainOutcome train(const Training& training, const Communicator& comm, TrainObserver& observer) {
    check_ranks(training.config, comm);
    TrainingRun run(training, comm, observer);
    for (int epoch = run.epochs_finished() + 1; epoch <= training.config.train.epochs; ++epoch) {
        if (run.has_stopped_early()) return run.finish(StopReason::early_stopping);
        if (!run.train_epoch(epoch)) return run.finish(StopReason::requested);
    }
    return run.finish(StopReason::all_epochs);
}

}  // namespace lockstep::trainer
