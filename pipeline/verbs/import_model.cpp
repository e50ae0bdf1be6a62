#include "pipeline/verbs/import_model.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "pipeline/exporting/imported_network.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/keras/imported_experiment.hpp"
#include "pipeline/keras/keras_config.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/recording/tensors.hpp"
#include "pipeline/settings/path_text.hpp"
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

void write_weights(const fs::path& path, const ImportedNetwork& imported,
                   storage::NamedArrays arrays, const std::string& origin) {
    trainer::RunConfig config;
    config.name = imported.network.name;
    config.layers = imported.network.layers;
    storage::write_model_file(
        path, keras_model(config, imported.architecture),
        to_arrays(to_tensors(std::move(arrays), imported.architecture, origin)));
}

}  // namespace

int import_model(const ImportOptions& options) {
    const std::string origin = path_text(options.model);
    storage::ModelFile file = storage::read_keras_model(options.model);
    const ImportedNetwork imported = imported_network(file, origin);
    ImportedExperiment experiment{.source = path_text(options.model.filename()),
                                  .initial_weights = {},
                                  .training_json = std::move(file.training_config_json)};
    if (!file.weights.empty()) {
        const fs::path weights = weights_path(options);
        write_weights(weights, imported, std::move(file.weights), origin);
        experiment.initial_weights = path_in_experiment(weights, options);
    }
    const std::string toml = imported_toml(imported.network, imported.classes, experiment);
    if (options.out)
        storage::replace_file(*options.out, toml);
    else
        print(toml);
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
