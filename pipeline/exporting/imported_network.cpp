#include "pipeline/exporting/imported_network.hpp"

#include <fmt/format.h>

#include <utility>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/keras/imported_experiment.hpp"
#include "pipeline/recording/tensors.hpp"
#include "pipeline/settings/path_text.hpp"
#include "storage/weights/keras_model_file.hpp"

namespace lockstep::pipeline {

ImportedNetwork read_imported_network(const std::filesystem::path& model) {
    storage::KerasModelFile file = storage::read_keras_model(model);
    const std::string origin = path_text(model);
    ImportedNetwork imported;
    imported.network = read_keras_network(file.model_json, origin);
    imported.classes = classes_of(imported.network);
    imported.training_json = std::move(file.training_json);
    try {
        imported.architecture = trainer::infer_shapes(imported.network.layers,
                                                      imported.network.input, imported.classes);
    } catch (const trainer::ShapeError& error) {
        throw Failure(kExitBadData, fmt::format("{}: {}", origin, error.what()));
    }
    if (!file.weights) return imported;
    for (storage::NamedArray& array : *file.weights) {
        const auto renamed = imported.network.renamed.find(array.layer);
        if (renamed != imported.network.renamed.end()) array.layer = renamed->second;
    }
    imported.weights = to_tensors(std::move(*file.weights), imported.architecture, origin);
    return imported;
}

}  // namespace lockstep::pipeline
