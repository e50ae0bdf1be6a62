#include "trainer/network/fusions.hpp"

#include <algorithm>
#include <optional>
#include <variant>

#include "trainer/layers/first_conv_pool.hpp"
#include "trainer/layers/merge.hpp"
#include "trainer/layers/pooled_block.hpp"
#include "trainer/layers/pooling.hpp"

namespace lockstep::trainer {

namespace {

using Settings = std::span<const LayerSetting>;

template <class Config>
const Config* as(const LayerSetting& setting) {
    return std::get_if<Config>(&setting.config.kind);
}

// ---- what a pattern consists of ----------------------------------------------------------------

bool is_batch_norm(const LayerSetting& setting) {
    return as<BatchNormalizationConfig>(setting) != nullptr;
}
bool is_dropout(const LayerSetting& setting) {
    const auto* dropout = as<DropoutConfig>(setting);
    return dropout != nullptr && dropout->rate > 0.0 && !dropout->is_spatial;
}
bool is_2x2_max_pool(const LayerSetting& setting) {
    const auto* pool = as<PoolingConfig>(setting);
    const LayerShape& shape = setting.shape;
    return pool != nullptr && pool->kind == PoolingKind::max &&
           is_max_pool_2x2(
               pooling_shape(*pool, shape, interleaved(shape.input), interleaved(shape.output)));
}

bool is_add(const LayerSetting& setting) {
    const auto* merge = as<MergeConfig>(setting);
    const auto is_whole = [&](const Shape& input) { return input == setting.shape.output; };
    return merge != nullptr && merge->kind == MergeKind::add &&
           std::ranges::all_of(setting.shape.inputs, is_whole);
}
bool is_relu(const LayerSetting& setting) {
    const auto* activation = as<ActivationConfig>(setting);
    return activation != nullptr && activation->activation == Activation::relu;
}

// ---- what becomes of it ------------------------------------------------------------------------

using Sources = std::span<const Layout>;

std::unique_ptr<Layer> make_pooled_block(Settings settings, Sources sources,
                                         Parameters& parameters) {
    const Layout& src = sources.front();
    std::optional<PooledBlock::Norm> norm;
    if (is_batch_norm(settings.front())) {
        const LayerShape& shape = settings.front().shape;
        norm = {*as<BatchNormalizationConfig>(settings.front()),
                add_batch_norm_tensors(parameters, shape, src), !settings.front().config.trainable};
        settings = settings.subspan(1);
    }
    const LayerSetting& pool = settings.front();
    std::optional<PooledBlock::Drop> drop;
    if (settings.size() > 1) drop = {as<DropoutConfig>(settings[1])->rate, settings[1].index};
    return std::make_unique<PooledBlock>(pooling_shape(*as<PoolingConfig>(pool), pool.shape, src,
                                                       blocked(pool.shape.output, src.block)),
                                         norm, drop);
}

std::unique_ptr<Layer> make_first_conv_pool(Settings settings, Sources, Parameters& parameters) {
    return std::make_unique<FirstConvPool>(settings[0], settings[1], parameters);
}

std::unique_ptr<Layer> make_sum_and_relu(Settings, Sources sources, Parameters&) {
    return make_add_relu(sources);
}

// ---- the patterns ------------------------------------------------------------------------------

bool is_first_conv_pool(Settings settings) {
    return FirstConvPool::takes(settings[0], settings[1]);
}

template <bool (*... kIs)(const LayerSetting&)>
bool in_a_row(Settings settings) {
    std::size_t i = 0;
    return (kIs(settings[i++]) && ...);
}

struct Fusion {
    std::size_t length;
    bool (*matches)(Settings);  // of that length
    std::unique_ptr<Layer> (*make)(Settings, Sources, Parameters&);
};

// Longest first.
constexpr Fusion kFusions[] = {
    {3, in_a_row<is_batch_norm, is_2x2_max_pool, is_dropout>, make_pooled_block},
    {2, in_a_row<is_batch_norm, is_2x2_max_pool>, make_pooled_block},
    {2, in_a_row<is_2x2_max_pool, is_dropout>, make_pooled_block},
    {2, is_first_conv_pool, make_first_conv_pool},
    {2, in_a_row<is_add, is_relu>, make_sum_and_relu},
    {1, in_a_row<is_2x2_max_pool>, make_pooled_block},
};

}  // namespace

MadeLayer make_longest(Settings settings, Sources src, ComputeEngine& engine,
                       Parameters& parameters) {
    for (const Fusion& fusion : kFusions) {
        if (settings.size() < fusion.length) continue;
        const Settings fused = settings.first(fusion.length);
        if (fusion.matches(fused)) return {fusion.make(fused, src, parameters), fusion.length};
    }
    return {make_layer(settings.front(), src, engine, parameters), 1};
}

}  // namespace lockstep::trainer
