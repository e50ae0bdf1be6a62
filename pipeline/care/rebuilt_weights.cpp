#include "pipeline/care/rebuilt_weights.hpp"

#include <exception>
#include <optional>

#include "pipeline/keras/keras_config.hpp"
#include "pipeline/planning/experiment_file.hpp"
#include "pipeline/recording/tensors.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/sha256.hpp"
#include "storage/weights/checkpoint_file.hpp"
#include "storage/weights/weights_file.hpp"

namespace lockstep::pipeline {
namespace {

storage::KerasModel model_of(const storage::RunRow& run) {
    SpecOptions options;
    options.file = "effective.toml";
    const Plan plan = plan_experiment(run.effective_config, options);
    const RunSpec& planned = plan.runs.at(0).run;
    return keras_model(planned.config, planned.architecture);
}

// As the recorder writes them (pipeline/recording/run_recorder.cpp). Weights with a scale measured
// on the data have further values and are not found again.
storage::StateGroup values_of(const storage::CheckpointState& state, int epoch) {
    storage::StateGroup group;
    group.values = {{"run", state.run},
                    {"seed", static_cast<std::int64_t>(state.seed)},
                    {"epoch", std::int64_t{epoch}},
                    {"config_digest", state.config_digest},
                    {"data_digest", state.data_digest},
                    {"lockstep_version", state.lockstep_version}};
    return group;
}

std::optional<storage::Bytes> rebuilt(const CheckedRun& checked, const storage::ArtifactRow& row) {
    try {
        const auto state = storage::read_checkpoint(checked.files.checkpoint);
        const storage::KerasModel model = model_of(checked.run);
        for (const auto* weights : {&evaluated_weights(state), &state.early_stopping_weights,
                                    &state.checkpoint_weights}) {
            if (weights->empty()) continue;
            auto bytes = storage::model_file_bytes(model, *weights, values_of(state, row.epoch));
            if (storage::sha256_hex(bytes) == row.sha256) return bytes;
        }
    } catch (const std::exception&) {
        // No checkpoint, or a configuration of another version: there is nothing to build from.
    }
    return std::nullopt;
}

}  // namespace

bool rebuild_weights(const CheckedRun& checked, const storage::ArtifactRow& row,
                     const std::filesystem::path& path) {
    const auto bytes = rebuilt(checked, row);
    if (bytes) storage::replace_file(path, *bytes);
    return bytes.has_value();
}

bool can_rebuild_weights(const CheckedRun& checked, const storage::ArtifactRow& row) {
    return rebuilt(checked, row).has_value();
}

}  // namespace lockstep::pipeline
