// A run takes over what a finished one of fewer epochs has trained.

#include <fmt/format.h>

#include <utility>

#include "pipeline/recording/run_recorder.hpp"

namespace lockstep::pipeline {

// Files first, as after an epoch: a crash in between leaves files that no row tells of, and the
// next start takes the parent over once more.
void RunRecorder::extend(const RunParent& parent) {
    const int epoch = parent.state.epochs_finished;
    const storage::CheckpointState checkpoint = writer_.checkpoint_state(parent.state);
    storage::RunExtension extension{
        planned_.id, parent.id, parent.epochs, {}, {writer_.write_checkpoint(checkpoint, epoch)}};
    if (parent.best)
        extension.artifacts.push_back(writer_.write_weights(storage::kBestArtifact,
                                                            writer_.files().best, *parent.best,
                                                            checkpoint.checkpoint->epoch));
    if (planned_.run.config.train.record_steps) extension.steps = parent.steps;
    for (storage::StepRow& row : extension.steps) row.run = planned_.id;
    database_.record_extension(attempt_, extension);
    const char* const end = parent.state.stopped_early
                                ? "; early stopping ended it there, and ends this one there too"
                                : "";
    tell(fmt::format("{}: goes on after epoch {} of {}, which differs in its epochs alone{}",
                     planned_.run.config.name, epoch, parent.id, end));
}

}  // namespace lockstep::pipeline
