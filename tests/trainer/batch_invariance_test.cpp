// What the same bits on any number of ranks stand on: an image's result does not depend on the
// other images in the call, or, where it does, not on anything beyond its shard.
#include <cstring>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "trainer/config/architecture.hpp"
#include "trainer/determinism/shards.hpp"
#include "trainer/kernels/aligned_array.hpp"
#include "trainer/kernels/convolution.hpp"
#include "trainer/kernels/dense/dense_kernel.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

constexpr int kBatch = 32, kShards = 8;

AlignedArray<float> random_array(std::size_t size, std::uint64_t seed) {
    AlignedArray<float> array(size);
    RandomValues random(seed);
    for (float& value : array.span()) value = static_cast<float>(random.uniform(-1.0, 1.0));
    return array;
}

std::vector<SampleRange> ranges(int samples, int count) {
    std::vector<SampleRange> all;
    for (int i = 0; i < count; ++i) all.push_back(near_equal_piece(samples, count, i));
    return all;
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

// Of samples [first, first + count) of a fixed batch of 32.
struct Passes {
    std::vector<float> dst;
    std::vector<float> diff_src;
    std::vector<std::vector<float>> diff_weights{};  // one a shard; of convolutions only
};

Passes part_of(const Passes& whole, const SampleRange& range) {
    const auto cut = [&](const std::vector<float>& values) {
        const auto size = static_cast<std::ptrdiff_t>(values.size()) / kBatch;
        return std::vector<float>(values.begin() + range.first * size,
                                  values.begin() + (range.first + range.count) * size);
    };
    return {cut(whole.dst), cut(whole.diff_src)};
}

class DenseLayer {
public:
    DenseLayer(int features, int units)
        : kernel_(features, units),
          src_(random_array(static_cast<std::size_t>(kBatch * features), 1)),
          diff_dst_(random_array(static_cast<std::size_t>(kBatch * units), 2)),
          weights_(random_array(kernel_.panels().weight_floats(), 3)),
          bias_(random_array(static_cast<std::size_t>(units), 4)) {}

    // As a rank with these samples computes them, whatever its shards: in one call.
    Passes run(const SampleRange& range, int) const {
        const auto at = static_cast<std::size_t>(range.first),
                   count = static_cast<std::size_t>(range.count);
        const auto features = static_cast<std::size_t>(kernel_.panels().features);
        const auto units = static_cast<std::size_t>(kernel_.panels().units);
        AlignedArray<float> dst(count * units), diff_src(count * features),
            diff(count * kernel_.panels().diff_step()), scratch(kernel_.scratch_floats());
        kernel_.forward(src_.data() + at * features, weights_.data(), bias_.data(), false,
                        dst.data(), range.count);
        kernel_.gather_diff(diff_dst_.data() + at * units, nullptr, diff.data(), range.count);
        kernel_.backward_data(diff.data(), weights_.data(), diff_src.data(), range.count,
                              scratch.data());
        return {{dst.span().begin(), dst.span().end()},
                {diff_src.span().begin(), diff_src.span().end()}};
    }

private:
    DenseKernel kernel_;
    AlignedArray<float> src_, diff_dst_, weights_, bias_;
};

struct DenseShape {
    int features, units;
};
// All of the five tutorials; then shapes that fill no vector or no block of a kernel, and a large
// one.
constexpr DenseShape kDenseShapes[] = {
    {1024, 100}, {100, 10}, {2048, 128}, {128, 10}, {512, 3},    {1024, 500}, {500, 10},
    {1024, 64},  {64, 10},  {1, 1},      {3, 1},    {1, 17},     {7, 5},      {31, 33},
    {130, 1},    {13, 130}, {4097, 2},   {333, 77}, {6400, 129}, {600, 1000}};

ConvolutionShape convolution_shape(const Shape& src, int filters, int size, Padding padding,
                                   int stride = 1) {
    const Window rows = window_of(src.height, size, stride, padding);
    const Window columns = window_of(src.width, size, stride, padding);
    return {.src = src,
            .dst = {rows.output, columns.output, filters, false},
            .kernel_size = {size, size},
            .strides = {stride, stride},
            .pad_before = {rows.pad_before, columns.pad_before},
            .pad_after = {rows.pad_after, columns.pad_after},
            .has_relu = false};
}

// Where the shards' gradients of one layer's parameters go.
class ShardGradients {
public:
    ShardGradients(std::size_t shards, std::size_t weights, std::size_t bias) {
        for (std::size_t i = 0; i < shards; ++i) {
            weights_.emplace_back(weights);
            bias_.emplace_back(bias);
        }
    }
    std::vector<float*> weights() { return starts_of(weights_); }
    std::vector<float*> bias() { return starts_of(bias_); }
    std::vector<std::vector<float>> weight_values() {
        std::vector<std::vector<float>> values;
        for (auto& array : weights_) values.emplace_back(array.span().begin(), array.span().end());
        return values;
    }

private:
    static std::vector<float*> starts_of(std::vector<AlignedArray<float>>& arrays) {
        std::vector<float*> starts;
        for (auto& array : arrays) starts.push_back(array.data());
        return starts;
    }
    std::vector<AlignedArray<float>> weights_, bias_;
};

class ConvolutionLayer {
public:
    ConvolutionLayer(ComputeEngine& engine, const ConvolutionShape& shape)
        : format_(engine, shape),
          src_(random_array(kBatch * format_.src().sample_size(), 5)),
          diff_dst_(random_array(kBatch * format_.dst().sample_size(), 6)),
          weights_(random_array(format_.kernel_format()->size(), 7)),
          bias_(random_array(static_cast<std::size_t>(format_.dst_channels()), 8)) {}

    Passes run(const SampleRange& range, int shards) const {
        return run(range, ranges(range.count, shards));
    }
    Passes run(const SampleRange& range, const std::vector<SampleRange>& shards) const {
        const auto at = static_cast<std::size_t>(range.first),
                   count = static_cast<std::size_t>(range.count);
        const std::size_t from = format_.src().sample_size(), to = format_.dst().sample_size();
        AlignedArray<float> dst(count * to), diff_src(count * from);
        ShardGradients gradients(shards.size(), weights_.size(), bias_.size());
        Convolution convolution(format_,
                                {.src = src_.data() + at * from,
                                 .weights = weights_.data(),
                                 .bias = bias_.data(),
                                 .dst = dst.data(),
                                 .diff_dst = diff_dst_.data() + at * to,
                                 .diff_src = diff_src.data(),
                                 .diff_weights = gradients.weights(),
                                 .diff_bias = gradients.bias()},
                                shards);
        convolution.forward();
        convolution.backward_data();
        convolution.backward_weights();
        return {{dst.span().begin(), dst.span().end()},
                {diff_src.span().begin(), diff_src.span().end()},
                gradients.weight_values()};
    }

private:
    ConvolutionFormat format_;
    AlignedArray<float> src_, diff_dst_, weights_, bias_;
};

// Each rank's part of the batch, cut as the ranks of a run are.
template <class Layer>
void check_ranks(const Layer& layer) {
    const Passes whole = layer.run({0, kBatch}, kShards);
    for (const int ranks : {2, 3, 8})
        for (int rank = 0; rank < ranks; ++rank) {
            CAPTURE(ranks, rank);
            const BatchGeometry own = batch_geometry(kBatch, kShards, ranks, rank);
            const SampleRange range{own.first_sample, own.samples};
            const Passes expected = part_of(whole, range);
            const Passes found = layer.run(range, static_cast<int>(own.shards.size()));
            CHECK(same_bits(found.dst, expected.dst));
            CHECK(same_bits(found.diff_src, expected.diff_src));
        }
}

}  // namespace

TEST_CASE("dense: a rank's shards give the bits they have in the whole batch",
          "[trainer][kernel]") {
    for (const auto& [features, units] : kDenseShapes) {
        CAPTURE(features, units);
        check_ranks(DenseLayer(features, units));
    }
}

TEST_CASE("convolution: a rank's shards give the bits they have in the whole batch",
          "[trainer][kernel]") {
    ComputeEngine engine;
    for (const auto& [channels, filters, size, image, padding] :
         {std::tuple{3, 10, 3, 32, Padding::valid}, std::tuple{10, 64, 3, 15, Padding::valid},
          std::tuple{3, 32, 3, 32, Padding::same}, std::tuple{32, 32, 3, 16, Padding::same},
          std::tuple{128, 128, 3, 8, Padding::same}, std::tuple{128, 128, 3, 6, Padding::valid},
          std::tuple{3, 16, 2, 32, Padding::same}, std::tuple{16, 32, 2, 16, Padding::same}}) {
        CAPTURE(channels, filters, size, image);
        const Shape src{image, image, channels, false};
        check_ranks(ConvolutionLayer(engine, convolution_shape(src, filters, size, padding)));
    }
}

TEST_CASE("convolution in groups and with gaps: the same", "[trainer][kernel]") {
    ComputeEngine engine;
    for (const int rate : {1, 2, 9})
        for (const auto& [channels, filters, groups] :
             {std::tuple{32, 32, 1}, std::tuple{10, 20, 1}, std::tuple{32, 64, 2},
              std::tuple{16, 32, 4}, std::tuple{12, 9, 3}, std::tuple{32, 32, 32},
              std::tuple{16, 48, 16}}) {
            CAPTURE(rate, channels, filters, groups);
            const Shape src{12, 12, channels, false};
            ConvolutionShape shape =
                convolution_shape(src, filters, 2 * rate + 1, Padding::same);  // its reach
            shape.kernel_size = {3, 3};
            shape.dilation_rate = {rate, rate};
            shape.groups = groups;
            check_ranks(ConvolutionLayer(engine, shape));
        }
}

TEST_CASE(
    "convolution: what a call borrows is as large as the largest shard needs, wherever it stands",
    "[trainer][kernel]") {
    ComputeEngine engine;
    const ConvolutionShape pixels = convolution_shape({5, 4, 4, false}, 16, 3, Padding::same);
    ConvolutionShape moved = pixels;
    moved.algorithm = ConvolutionAlgorithm::direct;  // gradients travel through other layouts
    const ConvolutionShape strided =
        convolution_shape({17, 17, 20, false}, 20, 3, Padding::same, 3);
    // A loop: GENERATE_COPY keeps references to its arguments, which end with the first round.
    for (const ConvolutionShape& shape : {pixels, moved, strided}) {
        CAPTURE(shape.src.channels);
        const ConvolutionLayer layer(engine, shape);
        const std::vector<SampleRange> shards{{0, 1}, {1, 4}, {5, 2}, {7, 25}};
        const Passes found = layer.run({0, kBatch}, shards);
        CHECK_FALSE(same_bits(found.diff_weights.front(), found.diff_weights.back()));
        for (std::size_t i = 0; i < shards.size(); ++i) {
            const SampleRange& shard = shards[i];
            CAPTURE(shard.first);
            const Passes alone = layer.run(shard, 1), expected = part_of(found, shard);
            CHECK(same_bits(alone.dst, expected.dst));
            CHECK(same_bits(alone.diff_src, expected.diff_src));
            CHECK(same_bits(alone.diff_weights.at(0), found.diff_weights.at(i)));
        }
    }
}
