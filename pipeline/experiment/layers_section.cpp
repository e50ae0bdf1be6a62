#include "pipeline/experiment/layers_section.hpp"

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/experiment/layer_inputs.hpp"
#include "pipeline/experiment/layer_reader.hpp"
#include "pipeline/experiment/layer_settings.hpp"
#include "pipeline/keras/model_summary.hpp"
#include "pipeline/layers/layer_types.hpp"
#include "pipeline/settings/named_keys.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {
namespace {

// Far beyond the memory of any machine, and counts of operations and bytes stay below 2^63.
constexpr std::int64_t kMostParameters = std::int64_t{1} << 40;
std::vector<std::string_view> type_words() {
    std::vector<std::string_view> words;
    for (const LayerType& type : layer_types()) words.push_back(type.word);
    return words;
}

// The names of one network's layers.
class LayerNames {
public:
    explicit LayerNames(Problems& problems) : problems_(problems) {}

    std::string written(const Value& name) {
        const auto* text = name.as<std::string>();
        if (!text || !storage::is_safe_name(*text)) {
            if (!name.as<Unusable>()) {
                refuse(name, fmt::format("name must be {}, not {}", kNameRule, described(name)));
            }
            return {};
        }
        if (is_reserved_layer_name(*text))
            refuse(name, fmt::format("the name \"{}\" is Keras' own or ours", *text));
        return taken_.insert(*text).second ? *text : refuse_second(name, *text);
    }

    std::string automatic(std::string_view type, const Value& layer) {
        const std::string name = automatic_.next(type);
        return taken_.insert(name).second ? name : refuse_second(layer, name);
    }

private:
    void refuse(const Value& value, const std::string& message) {
        problems_.add(value.origin, message);
    }
    std::string refuse_second(const Value& value, const std::string& name) {
        refuse(value, fmt::format("there is another layer named \"{}\"", name));
        return name;
    }

    Problems& problems_;
    std::set<std::string> taken_;
    KerasNames automatic_;
};

// In the order of the keys, whatever the file's.
std::vector<trainer::TrainableEpochs> read_trainable_epochs(TableReader& layer) {
    std::vector<trainer::TrainableEpochs> some;
    const Value* written = layer.find("trainable_epochs");
    if (!written) return some;
    const Table* table = written->as<Table>();
    if (!table) {
        layer.must_be("trainable_epochs", *written, "a table: { bias = 3 }");
        return some;
    }
    TableReader tensors(*table, layer.key_prefix() + "trainable_epochs.",
                        KeyGroup::trainable_epochs, layer.context());
    for (const std::string_view tensor : keys_of(KeyGroup::trainable_epochs).keys)
        if (const auto epochs = tensors.count(tensor, 0, std::numeric_limits<int>::max()))
            some.push_back({std::string(tensor), *epochs});
    return some;
}

std::optional<trainer::LayerConfig> read_layer(const Value& layer, std::size_t index,
                                               LayerNames& names, LayerInputs& inputs,
                                               ReadContext context) {
    const Table* table = layer.as<Table>();
    if (!table) {
        if (layer.as<Unusable>()) {
            context.problems.add_again();
        } else {
            context.problems.add(layer.origin, "a layer must be a table: { type = \"flatten\" }");
        }
        return std::nullopt;
    }
    const std::string prefix = fmt::format("layers.{}.", index);
    if (!table->find("type")) {
        context.problems.add(layer.origin, "a layer needs a type: " + one_of(type_words()));
        return std::nullopt;
    }
    const auto place = named_among(*table, {"type"}, prefix, type_words(), context);
    if (!place) return std::nullopt;
    const LayerType& type = layer_types()[*place];
    trainer::LayerConfig config;
    LayerReader reader(layer, prefix, type, context);
    config.kind = reader.read();
    config.sources = inputs.read(reader.table(), index);
    config.trainable = reader.table().truth("trainable").value_or(true);
    config.learning_rate_factor =
        reader.table().real("learning_rate_factor", kRateFactors).value_or(1.0);
    config.trainable_epochs = read_trainable_epochs(reader.table());
    if (std::holds_alternative<trainer::MergeConfig>(config.kind) && !table->find("inputs"))
        context.problems.add(
            layer.origin, fmt::format("a layer {} needs inputs = [\"...\", \"...\"]", type.word));
    const Value* name = table->find("name");
    if (name) context.origins[prefix + "name"] = label_of(name->origin);
    config.name = name ? names.written(*name) : names.automatic(type.word, layer);
    inputs.add(config.name, index);
    return config;
}

}  // namespace

std::vector<trainer::LayerConfig> read_layers(const Table& settings, const Origin& run_origin,
                                              ReadContext context) {
    std::vector<trainer::LayerConfig> layers;
    const Value* value = settings.find("layers");
    if (value && value->as<Unusable>()) {
        context.problems.add_again();
        return layers;
    }
    const Array* list = value ? value->as<Array>() : nullptr;
    const Origin& origin = value ? value->origin : run_origin;
    if (!list) {
        context.problems.add(origin,
                             value ? "layers must be a list of tables" : "a run needs layers");
        return layers;
    }
    if (list->empty() || list->size() > kMostLayers) {
        context.problems.add(
            origin, fmt::format("a network has 1 to {} layers, not {}", kMostLayers, list->size()));
        return layers;
    }
    LayerNames names(context.problems);
    LayerInputs inputs(context.problems);
    for (std::size_t i = 0; i < list->size(); ++i) {
        if (auto layer = read_layer((*list)[i], i, names, inputs, context))
            layers.push_back(std::move(*layer));
    }
    return layers;
}

trainer::Architecture read_architecture(const Table& settings,
                                        const std::vector<trainer::LayerConfig>& layers,
                                        const trainer::Shape& input, const ClassCount& classes,
                                        ReadContext context) {
    const Array& list = *settings.find("layers")->as<Array>();
    try {
        trainer::Architecture architecture = trainer::infer_shapes(layers, input, classes.count);
        if (const std::int64_t count = architecture.parameter_count(); count > kMostParameters) {
            context.problems.add(list[0].origin, fmt::format("the network has {} parameters; at "
                                                             "most {} are possible",
                                                             count, kMostParameters));
        }
        return architecture;
    } catch (const trainer::ShapeError& error) {
        std::string table = shape_table(error.so_far());
        table.pop_back();  // its last newline
        if (error.layer_index() + 1 == list.size() && !classes.origin.empty()) {
            table += fmt::format("\nthe {} class names are {}", classes.count, classes.origin);
        }
        context.problems.add(list[error.layer_index()].origin, error.what(), std::move(table));
        return error.so_far();
    }
}

}  // namespace lockstep::pipeline
