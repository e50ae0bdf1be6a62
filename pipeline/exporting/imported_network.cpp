#include "pipeline/exporting/imported_network.hpp"

#include <fmt/format.h>

#include <variant>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/keras/imported_experiment.hpp"
#include "pipeline/layers/layer_types.hpp"
#include "pipeline/recording/weights_notes.hpp"
#include "pipeline/settings/words.hpp"

namespace lockstep::pipeline {
namespace {

using trainer::Activation;

// Whether what a layer predicts is what it reads.
bool is_idle(const trainer::LayerConfig& layer, const trainer::LayerShape& shape) {
    if (std::holds_alternative<trainer::FlattenConfig>(layer.kind)) return shape.input.is_flat;
    const auto* activation = std::get_if<trainer::ActivationConfig>(&layer.kind);
    return std::holds_alternative<trainer::DropoutConfig>(layer.kind) ||
           (activation != nullptr && activation->activation == Activation::linear);
}

// The last one that changes anything; the number of layers where none does.
std::size_t last_busy_layer(const KerasNetwork& network) {
    for (trainer::ValueNumber value = network.layers.size(); value > 0;) {
        const trainer::LayerShape& shape = network.architecture.layers[value - 1];
        if (!is_idle(network.layers[value - 1], shape)) return value - 1;
        value = shape.sources.front();
    }
    return network.layers.size();
}

// Lockstep takes a softmax of what a network ends in, unless that is one.
void require_logits_or_softmax(const KerasNetwork& network, const std::string& origin) {
    const std::size_t last = last_busy_layer(network);
    if (last == network.layers.size()) return;
    const Activation activation = activation_of(network.layers[last].kind);
    const bool is_end = last + 1 == network.layers.size();
    if (activation == Activation::linear || (activation == Activation::softmax && is_end)) return;
    throw Failure(
        kExitBadData,
        fmt::format("{} has what Lockstep has no word for:\n  layer {}: activation = \"{}\"{}: a "
                    "network ends in a softmax, or in logits without an activation",
                    origin, network.layers[last].name, word_of(activation),
                    is_end ? " as the last one" : " in front of layers that predict the same"));
}

int classes_in(const KerasNetwork& network, const std::string& origin) {
    if (const int classes = classes_of(network); classes > 0) return classes;
    throw Failure(
        kExitBadData,
        fmt::format("{}: layer \"{}\": the network ends in an image {}, not in a value for each "
                    "class",
                    origin, network.layers.back().name,
                    trainer::to_string(network.architecture.output())));
}

}  // namespace

ImportedNetwork imported_network(storage::ModelFile& file, const std::string& origin) {
    ImportedNetwork imported;
    imported.network = read_keras_network(file.model_config_json, origin);
    imported.classes = classes_in(imported.network, origin);
    if (!is_of_lockstep(file)) require_logits_or_softmax(imported.network, origin);
    for (storage::NamedArray& array : file.weights) {
        const auto renamed = imported.network.renamed.find(array.layer);
        if (renamed != imported.network.renamed.end()) array.layer = renamed->second;
    }
    return imported;
}

}  // namespace lockstep::pipeline
