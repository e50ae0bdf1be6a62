#include "trainer/network/fusions.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <variant>

#include "trainer/layers/first_conv_pool.hpp"
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
    return dropout != nullptr && dropout->rate > 0.0;
}
bool is_2x2_max_pool(const LayerSetting& setting) {
    const auto* pool = as<PoolingConfig>(setting);
    const LayerShape& shape = setting.shape;
    return pool != nullptr && pool->kind == PoolingKind::max &&
           is_max_pool_2x2(
               pooling_shape(*pool, shape, interleaved(shape.input), interleaved(shape.output)));
}

// ---- what becomes of it ------------------------------------------------------------------------

std::unique_ptr<Layer> make_pooled_block(Settings settings, const Layout& src,
                                         Parameters& parameters) {
    std::optional<PooledBlock::Norm> norm;
    if (is_batch_norm(settings.front())) {
        const LayerShape& shape = settings.front().shape;
        norm = {*as<BatchNormalizationConfig>(settings.front()),
                add_batch_norm_tensors(parameters, shape, src)};
        settings = settings.subspan(1);
    }
    const LayerSetting& pool = settings.front();
    std::optional<PooledBlock::Drop> drop;
    if (settings.size() > 1) drop = {as<DropoutConfig>(settings[1])->rate, settings[1].index};
    return std::make_unique<PooledBlock>(pooling_shape(*as<PoolingConfig>(pool), pool.shape, src,
                                                       blocked(pool.shape.output, src.block)),
                                         norm, drop);
}

struct Fusion {
    std::array<bool (*)(const LayerSetting&), 3> layers;  // null: shorter
    std::unique_ptr<Layer> (*make)(Settings, const Layout& src, Parameters&);

    std::size_t length() const {
        return static_cast<std::size_t>(std::ranges::find(layers, nullptr) - layers.begin());
    }
    bool matches(Settings settings) const {
        if (settings.size() < length()) return false;
        for (std::size_t i = 0; i < length(); ++i)
            if (!layers[i](settings[i])) return false;
        return true;
    }
};

// Longest first.
constexpr Fusion kFusions[] = {
    {{is_batch_norm, is_2x2_max_pool, is_dropout}, make_pooled_block},
    {{is_batch_norm, is_2x2_max_pool, nullptr}, make_pooled_block},
    {{is_2x2_max_pool, is_dropout, nullptr}, make_pooled_block},
    {{is_2x2_max_pool, nullptr, nullptr}, make_pooled_block},
};

}  // namespace

MadeLayer make_longest(Settings settings, const Layout& src, ComputeEngine& engine,
                       Parameters& parameters) {
    if (settings.size() > 1 && FirstConvPool::takes(settings[0], settings[1]))
        return {std::make_unique<FirstConvPool>(settings[0], settings[1], parameters), 2};
    for (const Fusion& fusion : kFusions)
        if (fusion.matches(settings))
            return {fusion.make(settings.first(fusion.length()), src, parameters), fusion.length()};
    return {make_layer(settings.front(), src, engine, parameters), 1};
}

}  // namespace lockstep::trainer
