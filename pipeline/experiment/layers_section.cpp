#include "pipeline/experiment/layers_section.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "pipeline/experiment/layer_inputs.hpp"
#include "pipeline/experiment/layer_settings.hpp"
#include "pipeline/keras/model_summary.hpp"
#include "pipeline/settings/named_keys.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {
namespace {

constexpr int kMostFilters = 65'536;
constexpr int kLargestKernel = 1024;
// Far beyond the memory of any machine, and counts of operations and bytes stay below 2^63.
constexpr std::int64_t kMostParameters = std::int64_t{1} << 40;
constexpr RealRange kFractions{0.0, 1.0, true, false};

constexpr std::array<NamedKeys, 13> kLayerTypes{
    {{"conv2d", KeyGroup::conv2d},
     {"max_pooling2d", KeyGroup::pooling},
     {"average_pooling2d", KeyGroup::pooling},
     {"batch_normalization", KeyGroup::batch_normalization},
     {"dropout", KeyGroup::dropout},
     {"flatten", KeyGroup::flatten},
     {"dense", KeyGroup::dense},
     {"activation", KeyGroup::activation},
     {"global_average_pooling2d", KeyGroup::global_pooling},
     {"global_max_pooling2d", KeyGroup::global_pooling},
     {"add", KeyGroup::merge},
     {"multiply", KeyGroup::merge},
     {"concatenate", KeyGroup::merge}}};

// Names that Keras' files give another meaning.
constexpr std::array<std::string_view, 5> kReservedNames{
    kNetworkInput, "input_1", "top_level_model_weights", "model_weights", "lockstep"};

using Kind = decltype(trainer::LayerConfig::kind);

// Reads the keys of one layer; `layer` is its table, for the place of what is missing.
class LayerReader {
public:
    LayerReader(const Value& layer, const std::string& prefix, KeyGroup group, ReadContext context)
        : layer_(layer), reader_(*layer.as<Table>(), prefix, group, context) {}

    std::vector<trainer::ValueNumber> sources(LayerInputs& inputs, std::size_t number) {
        return inputs.read(reader_, number);
    }

    Kind read(std::string_view type) {
        if (type == "conv2d") return conv2d();
        if (type == "max_pooling2d") return pooling(trainer::PoolingKind::max);
        if (type == "average_pooling2d") return pooling(trainer::PoolingKind::average);
        if (type == "batch_normalization") return batch_normalization();
        if (type == "dropout") return dropout();
        if (type == "dense") return dense();
        if (type == "activation") return activation();
        if (type == "global_average_pooling2d")
            return trainer::GlobalPoolingConfig{trainer::PoolingKind::average};
        if (type == "global_max_pooling2d")
            return trainer::GlobalPoolingConfig{trainer::PoolingKind::max};
        for (const auto& merge : kMerges)
            if (type == merge.word) return this->merge(merge);
        return trainer::FlattenConfig{};
    }

private:
    void need(std::string_view key, std::string_view type) {
        if (!reader_.has(key))
            reader_.problem(layer_, fmt::format("a {} layer needs {}", type, key));
    }

    Kind conv2d() {
        need("filters", "conv2d");
        need("kernel_size", "conv2d");
        trainer::Conv2dConfig config;
        config.filters = reader_.count("filters", 1, kMostFilters).value_or(1);
        config.kernel_size =
            reader_.pair("kernel_size", 1, kLargestKernel).value_or(config.kernel_size);
        config.strides = reader_.pair("strides", 1, kLargestKernel).value_or(config.strides);
        config.padding = reader_.choice("padding", kPaddings).value_or(config.padding);
        config.activation = reader_.choice("activation", kActivations).value_or(config.activation);
        config.use_bias = reader_.truth("use_bias").value_or(config.use_bias);
        config.kernel_initializer =
            reader_.choice("kernel_initializer", kInitializers).value_or(config.kernel_initializer);
        config.kernel_l2 = kernel_l2();
        return config;
    }

    Kind pooling(trainer::PoolingKind kind) {
        trainer::PoolingConfig config;
        config.kind = kind;
        config.pool_size = reader_.pair("pool_size", 1, kLargestKernel).value_or(config.pool_size);
        config.strides = reader_.pair("strides", 1, kLargestKernel).value_or(config.pool_size);
        config.padding = reader_.choice("padding", kPaddings).value_or(config.padding);
        return config;
    }

    Kind batch_normalization() {
        trainer::BatchNormalizationConfig config;
        config.momentum = reader_.real("momentum", kFractions).value_or(config.momentum);
        config.epsilon = reader_.real("epsilon", {0.0, 1.0, false, true}).value_or(config.epsilon);
        return config;
    }

    Kind dropout() {
        need("rate", "dropout");
        const double rate = reader_.real("rate", kFractions).value_or(0.0);
        refuse_coarse(rate);
        return trainer::DropoutConfig{rate};
    }

    // 16 random bits decide over each value, so that a rate is a multiple of 2^-16.
    void refuse_coarse(double rate) {
        const double steps = std::round(rate * 65536.0);
        if (rate > 0.0 && steps == 0.0) refuse_rate("less than 2^-17 drops nothing");
        if (steps == 65536.0) refuse_rate("more than 1 - 2^-17 drops everything");
    }
    void refuse_rate(std::string_view why) {
        const Value& value = *reader_.find("rate");
        reader_.problem(value, fmt::format("rate = {}: {}", described(value), why));
    }

    Kind dense() {
        need("units", "dense");
        trainer::DenseConfig config;
        config.units = reader_.count("units", 1, kMostFilters).value_or(1);
        config.activation = reader_.choice("activation", kActivations).value_or(config.activation);
        config.use_bias = reader_.truth("use_bias").value_or(config.use_bias);
        config.kernel_initializer =
            reader_.choice("kernel_initializer", kInitializers).value_or(config.kernel_initializer);
        config.kernel_l2 = kernel_l2();
        return config;
    }

    // { l2 = x } or "none".
    double kernel_l2() {
        const Value* value = reader_.find("kernel_regularizer");
        if (!value) return 0.0;
        const Table* table = value->as<Table>();
        const auto* word = value->as<std::string>();
        if (!table) {
            if (!word || *word != "none")
                reader_.must_be("kernel_regularizer", *value, "{ l2 = ... } or \"none\"");
            return 0.0;
        }
        TableReader regularizer(*table, reader_.key_prefix() + "kernel_regularizer.",
                                KeyGroup::kernel_regularizer, reader_.context());
        return regularizer.real("l2", {0.0, 1000.0}).value_or(0.01);  // Keras' default
    }

    Kind merge(const Word<trainer::MergeKind>& merge) {
        if (!reader_.has("inputs"))
            reader_.problem(
                layer_, fmt::format("a layer {} needs inputs = [\"...\", \"...\"]", merge.word));
        return trainer::MergeConfig{merge.value};
    }

    Kind activation() {
        need("activation", "activation");
        return trainer::ActivationConfig{
            reader_.choice("activation", kActivations).value_or(trainer::Activation::linear)};
    }

    const Value& layer_;
    TableReader reader_;
};

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
        for (const std::string_view reserved : kReservedNames) {
            if (*text == reserved)
                refuse(name, fmt::format("the name \"{}\" is Keras' own or ours", reserved));
        }
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
        context.problems.add(layer.origin, "a layer needs a type: " + one_of(kLayerTypes));
        return std::nullopt;
    }
    const NamedKeys* type = named_by(*table, "type", prefix, kLayerTypes, context);
    if (type == nullptr) return std::nullopt;
    trainer::LayerConfig config;
    LayerReader reader(layer, prefix, type->keys, context);
    config.kind = reader.read(type->name);
    config.sources = reader.sources(inputs, index);
    const Value* name = table->find("name");
    if (name) context.origins[prefix + "name"] = label_of(name->origin);
    config.name = name ? names.written(*name) : names.automatic(type->name, layer);
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
