#include "pipeline/exporting/imported_network.hpp"

#include <fmt/format.h>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/keras/imported_experiment.hpp"

namespace lockstep::pipeline {

ImportedNetwork imported_network(storage::ModelFile& file, const std::string& origin) {
    ImportedNetwork imported;
    imported.network = read_keras_network(file.model_config_json, origin);
    imported.classes = classes_of(imported.network);
    try {
        imported.architecture = trainer::infer_shapes(imported.network.layers,
                                                      imported.network.input, imported.classes);
    } catch (const trainer::ShapeError& error) {
        throw Failure(kExitBadData, fmt::format("{}: {}", origin, error.what()));
    }
    for (storage::NamedArray& array : file.weights) {
        const auto renamed = imported.network.renamed.find(array.layer);
        if (renamed != imported.network.renamed.end()) array.layer = renamed->second;
    }
    return imported;
}

}  // namespace lockstep::pipeline
