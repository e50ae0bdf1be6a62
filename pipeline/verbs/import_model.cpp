#include "pipeline/verbs/import_model.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "pipeline/exporting/imported_network.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/keras/imported_experiment.hpp"
#include "pipeline/keras/imported_training.hpp"
#include "pipeline/keras/keras_config.hpp"
#include "pipeline/layers/layer_types.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/ranks/rank_session.hpp"
#include "pipeline/recording/tensors.hpp"
#include "pipeline/recording/weights_notes.hpp"
#include "pipeline/settings/path_text.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/weights/keras_model_file.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

// Weights as a whole model has them, so not .weights.h5: by that name Keras 3 expects another
// layout.
fs::path weights_path(const ImportOptions& options) {
    if (options.weights && options.weights->filename().string().ends_with(".weights.h5"))
        throw UsageError(
            fmt::format("--weights {}: Keras takes this name for another layout; end it in .h5 "
                        "alone",
                        path_text(*options.weights)));
    if (options.weights) return *options.weights;
    const fs::path name = options.model.stem().concat("-weights.h5");
    return options.out ? options.out->parent_path() / name : name;
}

// As the experiment file names them: from where it lies.
std::string path_in_experiment(const fs::path& weights, const ImportOptions& options) {
    const fs::path folder =
        options.out ? fs::absolute(*options.out).parent_path() : fs::current_path();
    return path_text(fs::absolute(weights).lexically_normal().lexically_proximate(folder));
}

// With what the model's file says of them, and without any training: that is in the experiment.
storage::Bytes weights_bytes(const ImportedNetwork& imported, storage::ModelFile file,
                             const std::string& origin) {
    trainer::RunConfig config;
    config.name = imported.network.name;
    config.layers = imported.network.layers;
    const trainer::Architecture& architecture = imported.network.architecture;
    storage::KerasModel model = keras_model(config, architecture);
    model.training_config_json.clear();
    const auto notes = notes_in(file);
    return storage::model_file_bytes(
        model, to_arrays(to_tensors(std::move(file), architecture, origin)), notes);
}

bool ends_in_softmax(const KerasNetwork& network) {
    return activation_of(network.layers.back().kind) == trainer::Activation::softmax;
}

// A file of that name may be anybody's.
void require_free(const fs::path& path, const storage::Bytes& bytes) {
    if (!fs::exists(path) || storage::read_file(path) == bytes) return;
    throw Failure(kExitCannotCreate,
                  fmt::format("{} is there and holds something else than this model's weights; "
                              "--weights FILE names another file for them",
                              path_text(path)));
}

void tell(const std::string& note) { tell_failure({kExitSuccess, "note: " + note}); }

void write_weights(const fs::path& path, const storage::Bytes& bytes,
                   const ImportOptions& options) {
    if (!options.weights) require_free(path, bytes);
    storage::replace_file(path, bytes);
    tell(fmt::format("the weights lie in {}", path_text(path)));
}

}  // namespace

int import_model(const ImportOptions& options) {
    const std::string origin = path_text(options.model);
    storage::ModelFile file = storage::read_keras_model(options.model);
    const ImportedNetwork imported = imported_network(file, origin);
    const KerasNetwork& network = imported.network;
    const fs::path weights = weights_path(options);
    const ImportedExperiment experiment{
        .source = path_text(options.model.filename()),
        .initial_weights =
            file.weights.empty() ? std::string() : path_in_experiment(weights, options),
        .training = imported_training(file.training_config_json, ends_in_softmax(network), origin),
        .class_names = class_names_in(file),
        .scale = pixel_scale_in(file, origin, network.input.channels)};
    // All of it before anything is written.
    const std::string toml = imported_toml(network, imported.classes, experiment);
    if (!file.weights.empty())
        write_weights(weights, weights_bytes(imported, std::move(file), origin), options);
    for (const std::string& what : experiment.training.left_out)
        tell(fmt::format("left out, as there is no such setting here: {}", what));
    if (options.out) storage::replace_file(*options.out, toml);
    print(options.out ? path_text(*options.out) + '\n' : toml);
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
