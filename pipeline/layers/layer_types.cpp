#include "pipeline/layers/layer_types.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <variant>
#include <vector>

namespace lockstep::pipeline {
namespace {

using trainer::MergeConfig;
using trainer::MergeKind;
using trainer::PoolingConfig;
using trainer::PoolingKind;

const std::array<LayerType, 20>& types() {
    static const std::array<LayerType, 20> kTypes{{
        {"conv2d", trainer::Conv2dConfig{}},
        {"depthwise_conv2d", trainer::DepthwiseConv2dConfig{}},
        {"separable_conv2d", trainer::SeparableConv2dConfig{}},
        {"max_pooling2d", PoolingConfig{.kind = PoolingKind::max}},
        {"average_pooling2d", PoolingConfig{.kind = PoolingKind::average}},
        {"batch_normalization", trainer::BatchNormalizationConfig{}},
        {"layer_normalization", trainer::LayerNormalizationConfig{}},
        {"dropout", trainer::DropoutConfig{}},
        {"spatial_dropout2d", trainer::DropoutConfig{.is_spatial = true}},
        {"flatten", trainer::FlattenConfig{}},
        {"dense", trainer::DenseConfig{}},
        {"activation", trainer::ActivationConfig{}},
        {"global_average_pooling2d", trainer::GlobalPoolingConfig{.kind = PoolingKind::average}},
        {"global_max_pooling2d", trainer::GlobalPoolingConfig{.kind = PoolingKind::max}},
        {"add", MergeConfig{MergeKind::add}},
        {"multiply", MergeConfig{MergeKind::multiply}},
        {"concatenate", MergeConfig{MergeKind::concatenate}},
        {"zero_padding2d", trainer::ZeroPadding2dConfig{}},
        {"up_sampling2d", trainer::UpSampling2dConfig{}},
        {"rescaling", trainer::RescalingConfig{}},
    }};
    return kTypes;
}

// Tells types of one kind apart.
int variety_of(const LayerKind& kind) {
    return std::visit(
        [](const auto& config) {
            if constexpr (requires { config.kind; }) return static_cast<int>(config.kind);
            if constexpr (requires { config.is_spatial; })
                return static_cast<int>(config.is_spatial);
            return 0;
        },
        kind);
}

// Nothing but the names of the keys.
class KeyNames final : public KeyVisitor {
public:
    std::vector<std::string_view> names{
        "type", "name", "inputs", "trainable", "learning_rate_factor", "trainable_epochs"};

    void whole(LayerKey key, int&, WholeRange) override { add(key); }
    void real(LayerKey key, double&, RealRange) override { add(key); }
    void truth(LayerKey key, bool&) override { add(key); }
    void rate(LayerKey key, double&) override { add(key); }
    void pair(LayerKey key, std::array<int, 2>&, WholeRange) override { add(key); }
    void pair_like(LayerKey key, std::array<int, 2>&, const std::array<int, 2>&,
                   WholeRange) override {
        add(key);
    }
    void borders(LayerKey key, std::array<int, 2>&, std::array<int, 2>&, WholeRange) override {
        add(key);
    }
    void initializer(LayerKey key, trainer::InitializerConfig&) override { add(key); }
    void l2(LayerKey key, double&) override { add(key); }

private:
    void word(LayerKey key, std::size_t&, std::span<const std::string_view>) override { add(key); }
    void add(LayerKey key) { names.push_back(key.name); }
};

// "layer add, multiply and concatenate": of one kind, whose types have the same keys.
std::string heading_of(std::size_t kind) {
    std::vector<std::string_view> words;
    for (const LayerType& type : types())
        if (type.kind.index() == kind) words.push_back(type.word);
    const std::string_view last = words.back();
    words.pop_back();
    return words.empty() ? fmt::format("layer {}", last)
                         : fmt::format("layer {} and {}", fmt::join(words, ", "), last);
}

// A list for each kind, by its place in the variant; the lists point into it.
struct KindKeys {
    std::array<std::string, std::variant_size_v<LayerKind>> headings;
    std::array<KeyNames, std::variant_size_v<LayerKind>> keys;
    std::array<KeyList, std::variant_size_v<LayerKind>> lists;

    KindKeys() {
        for (const LayerType& type : types()) {
            const std::size_t index = type.kind.index();
            if (!headings[index].empty()) continue;
            LayerKind kind = type.kind;
            visit_keys(kind, keys[index]);
            headings[index] = heading_of(index);
            lists[index] = {headings[index], keys[index].names};
        }
    }
};

const KindKeys& kind_keys() {
    static const KindKeys kKeys;
    return kKeys;
}

}  // namespace

std::span<const LayerType> layer_types() { return types(); }

const LayerType& type_of(const LayerKind& kind) {
    return *std::ranges::find_if(types(), [&kind](const LayerType& type) {
        return type.kind.index() == kind.index() && variety_of(type.kind) == variety_of(kind);
    });
}

trainer::Activation activation_of(const LayerKind& kind) {
    const auto activation = [](const auto& config) {
        if constexpr (requires { config.activation; }) return config.activation;
        return trainer::Activation::linear;
    };
    return std::visit(activation, kind);
}

bool is_reserved_layer_name(std::string_view name) {
    constexpr std::array<std::string_view, 5> kReserved{
        kNetworkInput, "input_1", "top_level_model_weights", "model_weights", "lockstep"};
    return std::ranges::find(kReserved, name) != kReserved.end();
}

const KeyList& keys_of(const LayerType& type) { return kind_keys().lists[type.kind.index()]; }

std::span<const KeyList> all_keys() {
    static const std::vector<KeyList> kAll = [] {
        std::vector<KeyList> all(keys_of_tables().begin(), keys_of_tables().end());
        const auto& layers = kind_keys().lists;
        all.insert(all.end(), layers.begin(), layers.end());
        return all;
    }();
    return kAll;
}

}  // namespace lockstep::pipeline
