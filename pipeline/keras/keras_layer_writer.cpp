#include "pipeline/keras/keras_layer_writer.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <variant>

#include "pipeline/keras/keras_words.hpp"
#include "pipeline/layers/layer_keys.hpp"

namespace lockstep::pipeline {
namespace {

using Json = nlohmann::ordered_json;

bool draws(trainer::Initializer initializer) {
    using enum trainer::Initializer;
    return initializer != zeros && initializer != ones && initializer != constant &&
           initializer != identity;
}

Json initializer_json(trainer::InitializerConfig initializer) {
    if (!is_of_keras(initializer.kind)) initializer = trainer::Initializer::zeros;
    Json config = Json::object();
    visit_arguments(initializer, [&config](std::string_view key, double& value, RealRange) {
        config[std::string(key)] = value;
    });
    if (draws(initializer.kind)) config["seed"] = nullptr;
    return {{"class_name", camel_case(word_of(initializer.kind))}, {"config", config}};
}

class Writer final : public KeyVisitor {
public:
    explicit Writer(Json& json) : json_(json) {}

    void whole(LayerKey key, int& value, WholeRange) override { add(key, value); }
    void real(LayerKey key, double& value, RealRange) override { add(key, value); }
    void truth(LayerKey key, bool& value) override { add(key, value); }
    void rate(LayerKey key, double& value) override { add(key, value); }
    void pair(LayerKey key, std::array<int, 2>& value, WholeRange) override { add(key, value); }
    void pair_like(LayerKey key, std::array<int, 2>& value, const std::array<int, 2>&,
                   WholeRange) override {
        add(key, value);
    }
    void borders(LayerKey key, std::array<int, 2>& vertical, std::array<int, 2>& horizontal,
                 WholeRange) override {
        add(key, Json::array({vertical, horizontal}));
    }
    void initializer(LayerKey key, trainer::InitializerConfig& value) override {
        add(key, initializer_json(value));
    }
    void l2(LayerKey key, double& value) override {
        if (value != 0.0) add(key, {{"class_name", "L2"}, {"config", {{"l2", value}}}});
    }

private:
    void word(LayerKey key, std::size_t& index, std::span<const std::string_view> words) override {
        add(key, std::string(keras_activation(words[index])));
    }
    void add(LayerKey key, Json value) { json_[std::string(key.name)] = std::move(value); }

    Json& json_;
};

// What Keras asks for beyond our keys.
void add_axes(const LayerKind& kind, const trainer::LayerShape& shape, Json& json) {
    const int last_axis = shape.input.is_flat ? 1 : 3;
    if (std::holds_alternative<trainer::BatchNormalizationConfig>(kind))
        json["axis"] = Json::array({last_axis});
    if (std::holds_alternative<trainer::LayerNormalizationConfig>(kind))
        json["axis"] = Json::array({last_axis});
    const auto* merge = std::get_if<trainer::MergeConfig>(&kind);
    if (merge && merge->kind == trainer::MergeKind::concatenate) json["axis"] = last_axis;
}

// Kinds that Keras also knows with the channels in front.
bool has_data_format(const LayerKind& kind) {
    const auto is = [&kind]<class... Kinds>(std::type_identity<Kinds>...) {
        return (std::holds_alternative<Kinds>(kind) || ...);
    };
    const auto* dropout = std::get_if<trainer::DropoutConfig>(&kind);
    return is(std::type_identity<trainer::Conv2dConfig>(),
              std::type_identity<trainer::DepthwiseConv2dConfig>(),
              std::type_identity<trainer::SeparableConv2dConfig>(),
              std::type_identity<trainer::PoolingConfig>(),
              std::type_identity<trainer::GlobalPoolingConfig>(),
              std::type_identity<trainer::FlattenConfig>(),
              std::type_identity<trainer::ZeroPadding2dConfig>(),
              std::type_identity<trainer::UpSampling2dConfig>()) ||
           (dropout && dropout->is_spatial);
}

}  // namespace

Json keras_layer_config(const trainer::LayerConfig& layer, const trainer::LayerShape& shape) {
    Json json{{"name", layer.name}, {"trainable", layer.trainable}, {"dtype", "float32"}};
    Writer writer(json);
    LayerKind kind = layer.kind;
    visit_keys(kind, writer);
    if (has_data_format(kind)) json["data_format"] = "channels_last";
    add_axes(kind, shape, json);
    return json;
}

}  // namespace lockstep::pipeline
