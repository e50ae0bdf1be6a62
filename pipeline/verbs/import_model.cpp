#include "pipeline/verbs/import_model.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "pipeline/exporting/imported_network.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/keras/imported_experiment.hpp"
#include "pipeline/keras/keras_config.hpp"
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

fs::path weights_path(const ImportOptions& options) {
    if (options.weights) return *options.weights;
    const fs::path name = options.model.stem().concat(".weights.h5");
    return options.out ? options.out->parent_path() / name : name;
}

// As the experiment file names them: from where it lies.
std::string path_in_experiment(const fs::path& weights, const ImportOptions& options) {
    const fs::path folder =
        options.out ? fs::absolute(*options.out).parent_path() : fs::current_path();
    return path_text(fs::absolute(weights).lexically_normal().lexically_proximate(folder));
}

storage::Bytes weights_bytes(const ImportedNetwork& imported, storage::ModelFile file,
                             const std::string& origin) {
    trainer::RunConfig config;
    config.name = imported.network.name;
    config.layers = imported.network.layers;
    return storage::model_file_bytes(
        keras_model(config, imported.network.architecture),
        to_arrays(to_tensors(std::move(file), imported.network.architecture, origin)));
}

// MODEL.weights.h5 is what users of Keras call weights of their own.
void require_free(const fs::path& path, const storage::Bytes& bytes) {
    if (!fs::exists(path) || storage::read_file(path) == bytes) return;
    throw Failure(kExitCannotCreate,
                  fmt::format("{} is there and holds something else than this model's weights; "
                              "--weights FILE names another file for them",
                              path_text(path)));
}

}  // namespace

int import_model(const ImportOptions& options) {
    const std::string origin = path_text(options.model);
    storage::ModelFile file = storage::read_keras_model(options.model);
    const ImportedNetwork imported = imported_network(file, origin);
    ImportedExperiment experiment{
        .source = path_text(options.model.filename()),
        .initial_weights = {},
        .training_json = std::move(file.training_config_json),
        .class_names = class_names_in(file),
        .scale = pixel_scale_in(file, origin, imported.network.input.channels)};
    if (!file.weights.empty()) {
        const fs::path weights = weights_path(options);
        const auto bytes = weights_bytes(imported, std::move(file), origin);
        if (!options.weights) require_free(weights, bytes);
        storage::replace_file(weights, bytes);
        tell_failure(
            {kExitSuccess, fmt::format("note: the weights lie in {}", path_text(weights))});
        experiment.initial_weights = path_in_experiment(weights, options);
    }
    const std::string toml = imported_toml(imported.network, imported.classes, experiment);
    if (options.out) storage::replace_file(*options.out, toml);
    print(options.out ? path_text(*options.out) + '\n' : toml);
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
