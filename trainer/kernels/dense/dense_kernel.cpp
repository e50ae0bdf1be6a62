#include "trainer/kernels/dense/dense_kernel.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>

#include "trainer/kernels/vector_lanes.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/dense/dense_kernel.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/dense/dots-inl.hpp"
#include "trainer/kernels/dense/panels.hpp"
#include "trainer/kernels/dense/product-inl.hpp"
#include "trainer/kernels/dense/shard_sum-inl.hpp"
#include "trainer/kernels/dense/transpose-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t size(int value) { return static_cast<std::size_t>(value); }

// What a sum starts from that has no bias.
alignas(64) constexpr float kZeros[2 * HWY_MAX_BYTES / sizeof(float)] = {};

// piece(first, count) for pieces of at most `most`.
template <class Piece>
HWY_ATTR void for_each_piece(int total, int most, Piece piece) {
    for (int first = 0; first < total; first += most) piece(first, std::min(most, total - first));
}

// ---- forward -----------------------------------------------------------------------------------

// Samples at once, whose part of src shares the L2 cache with a part of a panel.
constexpr int kForwardSamples = 128;

HWY_ATTR void Forward(const DensePanels& g, const float* src, const float* weights,
                      const float* bias, bool has_relu, float* dst, int samples) {
    const auto panel_product = [&](int sample, int feature, int depth, int panel) HWY_ATTR {
        const std::size_t unit = g.first_unit(panel);
        float* to = dst + size(sample) * size(g.units) + unit;
        const bool is_first = feature == 0;
        return DenseProduct{.a = src + size(sample) * size(g.features) + size(feature),
                            .a_row = size(g.features),
                            .b = weights + g.row_begin(panel, feature),
                            .b_step = g.width(panel),
                            .next_b = panel + 1 < g.panels()
                                          ? weights + g.row_begin(panel + 1, feature)
                                          : weights + g.row_begin(0, feature + depth),
                            .fetching_groups = 0,
                            .start = is_first ? bias + unit : to,
                            .start_row = is_first ? 0 : size(g.units),
                            .c = to,
                            .c_row = size(g.units),
                            .columns = g.units_of(panel),
                            .depth = depth,
                            .has_relu = has_relu && feature + depth == g.features};
    };
    for_each_piece(samples, kForwardSamples, [&](int sample, int rows) HWY_ATTR {
        for_each_piece(g.features, kFeaturesAtOnce, [&](int feature, int depth) HWY_ATTR {
            for (int panel = 0; panel < g.panels(); ++panel)
                dense_multiply_rows(panel_product(sample, feature, depth, panel), rows,
                                    g.vectors(panel));
        });
    });
}

// ---- backward data -----------------------------------------------------------------------------

// Features in the lanes, for few units: blocks of the weights are transposed first.
HWY_ATTR void multiply_by_features(const DensePanels& g, const float* diff, const float* weights,
                                   float* diff_src, int samples, float* block) {
    const std::size_t step = 2 * size(g.lanes);
    std::fill_n(block, step * step, 0.0F);  // [unit][feature]
    for (int panel = 0; panel < g.panels(); ++panel)
        for_each_piece(g.features, 2 * g.lanes, [&](int feature, int count) HWY_ATTR {
            const int units = static_cast<int>(g.units_of(panel));
            const float* from = weights + g.row_begin(panel, feature);
            transpose(from, g.width(panel), count, units, block, step);
            float* to = diff_src + size(feature);
            dense_multiply_rows({.a = diff + g.first_unit(panel),
                                 .a_row = g.diff_step(),
                                 .b = block,
                                 .b_step = step,
                                 .next_b = block,
                                 .fetching_groups = 0,
                                 .start = panel == 0 ? kZeros : to,
                                 .start_row = panel == 0 ? 0 : size(g.features),
                                 .c = to,
                                 .c_row = size(g.features),
                                 .columns = size(count),
                                 .depth = units,
                                 .has_relu = false},
                                samples, count > g.lanes ? 2 : 1);
        });
}

// Units in the lanes of both factors: every weight is read as it lies.
HWY_ATTR void multiply_by_units(const DensePanels& g, const float* diff, const float* weights,
                                float* diff_src, int samples, float* copy) {
    const int last_panel = g.panels() - 1;
    const auto multiply_tiles = [&](int feature, int tiles) HWY_ATTR {
        multiply_dots_of_samples(
            {.diff = diff,
             .diff_step = g.diff_step(),
             .weights = weights + g.row_begin(0, feature),
             .panel_step = 2 * size(g.lanes) * size(g.features),
             .last_begin = g.row_begin(last_panel, feature) - g.row_begin(0, feature),
             .copy = copy,
             .vectors = size(2 * last_panel + g.vectors(last_panel)),
             .out = diff_src + size(feature),
             .out_step = size(g.features)},
            tiles, samples);
    };
    const int whole = g.features / kDotFeatures;
    for_each_piece(whole, dot_tiles_at_once(g), [&](int tile, int tiles) HWY_ATTR {
        multiply_tiles(tile * kDotFeatures, tiles);
    });
    if (g.features % kDotFeatures != 0) multiply_tiles(g.features - kDotFeatures, 1);
}

HWY_ATTR void BackwardData(const DensePanels& g, const float* diff, const float* weights,
                           float* diff_src, int samples, float* scratch) {
    if (g.has_dots())
        multiply_by_units(g, diff, weights, diff_src, samples, scratch);
    else
        multiply_by_features(g, diff, weights, diff_src, samples, scratch);
}

// ---- backward weights --------------------------------------------------------------------------

HWY_ATTR void GatherDiff(const DensePanels& g, const float* diff_dst, const float* relu_dst,
                         float* diff, int samples) {
    const DenseTag d;
    const std::size_t lanes = hn::Lanes(d), units = size(g.units), step = g.diff_step();
    for (int n = 0; n < samples; ++n, diff_dst += units, diff += step) {
        for (std::size_t i = 0; i < units; i += lanes) {
            const std::size_t count = std::min(lanes, units - i);
            DenseVector v = load_first(diff_dst + i, count);
            if (relu_dst != nullptr)
                v = hn::IfThenElseZero(
                    hn::Gt(load_first(relu_dst + size(n) * units + i, count), hn::Zero(d)), v);
            hn::StoreU(v, d, diff + i);
        }
        const std::size_t end = (units + lanes - 1) / lanes * lanes;
        std::fill(diff + end, diff + step, 0.0F);
    }
}

HWY_ATTR void WeightGradient(const DensePanels& g, int first, int rows, const DenseFactors& batch,
                             std::span<const SampleRange> shards, float* out) {
    while (rows > 0) {
        const int panel = first / g.features, feature = first % g.features;
        const int count = std::min(rows, g.features - feature);
        sum_shards_of_rows({.src = batch.src + feature,
                            .src_step = size(g.features),
                            .diff = batch.diff + g.first_unit(panel),
                            .diff_step = g.diff_step(),
                            .shards = shards,
                            .out = out,
                            .out_row = g.width(panel)},
                           count, g.vectors(panel));
        out += size(count) * g.width(panel);
        first += count;
        rows -= count;
    }
}

// A gradient whose src is one everywhere.
HWY_ATTR void BiasGradient(const DensePanels& g, const float* diff,
                           std::span<const SampleRange> shards, float* diff_bias) {
    const float one = 1.0F;
    HWY_ALIGN float sums[2 * HWY_MAX_BYTES / sizeof(float)];
    for (int panel = 0; panel < g.panels(); ++panel) {
        sum_shards_of_rows({.src = &one,
                            .src_step = 0,
                            .diff = diff + g.first_unit(panel),
                            .diff_step = g.diff_step(),
                            .shards = shards,
                            .out = sums,
                            .out_row = 0},
                           1, g.vectors(panel));
        std::copy_n(sums, g.units_of(panel), diff_bias + g.first_unit(panel));
    }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(Forward);
HWY_EXPORT(BackwardData);
HWY_EXPORT(GatherDiff);
HWY_EXPORT(WeightGradient);
HWY_EXPORT(BiasGradient);

DenseKernel::DenseKernel(int features, int units)
    : panels_{.features = features, .units = units, .lanes = vector_lanes()} {
    if (features < 1 || units < 1)
        throw std::invalid_argument("a dense layer has at least one feature and one unit");
}

std::size_t DenseKernel::scratch_floats() const {
    const std::size_t block = 2 * static_cast<std::size_t>(panels_.lanes);
    return panels_.has_dots()
               ? static_cast<std::size_t>(dot_tiles_at_once(panels_)) * dot_tile_floats(panels_)
               : block * block;
}

void DenseKernel::forward(const float* src, const float* weights, const float* bias, bool has_relu,
                          float* dst, int samples) const {
    HWY_DYNAMIC_DISPATCH(Forward)(panels_, src, weights, bias, has_relu, dst, samples);
}

void DenseKernel::gather_diff(const float* diff_dst, const float* relu_dst, float* diff,
                              int samples) const {
    HWY_DYNAMIC_DISPATCH(GatherDiff)(panels_, diff_dst, relu_dst, diff, samples);
}

void DenseKernel::backward_data(const float* diff, const float* weights, float* diff_src,
                                int samples, float* scratch) const {
    HWY_DYNAMIC_DISPATCH(BackwardData)(panels_, diff, weights, diff_src, samples, scratch);
}

void DenseKernel::backward_weights(const DenseFactors& shard, int samples, float* diff_weights,
                                   float* diff_bias) const {
    const SampleRange all{0, samples};
    weight_gradient_of_rows(0, panels_.rows(), shard, {&all, 1}, diff_weights);
    bias_gradient(shard.diff, {&all, 1}, diff_bias);
}

void DenseKernel::weight_gradient_of_rows(int first, int rows, const DenseFactors& batch,
                                          std::span<const SampleRange> shards, float* out) const {
    HWY_DYNAMIC_DISPATCH(WeightGradient)(panels_, first, rows, batch, shards, out);
}

void DenseKernel::bias_gradient(const float* diff, std::span<const SampleRange> shards,
                                float* diff_bias) const {
    HWY_DYNAMIC_DISPATCH(BiasGradient)(panels_, diff, shards, diff_bias);
}

}  // namespace lockstep::trainer
#endif  // HWY_ONCE
