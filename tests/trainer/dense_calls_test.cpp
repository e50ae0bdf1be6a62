// Our own dense layers bound to a rank's part of a batch, against oneDNN's of the same.
#include "trainer/kernels/dense/dense_calls.hpp"

#include <cmath>

#include "tests/trainer/dense_case.hpp"
#include "trainer/config/shape.hpp"
#include "trainer/kernels/inner_product.hpp"

namespace lockstep::trainer {
namespace {

using tests::random_array;
using tests::RandomValues;
using tests::same_bits;

// Shards as of a short batch, the last one smaller.
const std::vector<SampleRange> kShards{{0, 3}, {3, 3}, {6, 1}};
constexpr std::size_t kSamples = 7;
constexpr int kUnits = 37;

// Images of five channels in blocks of eight: features in another order, and padding among them.
Layout incoming() { return flattened(blocked({3, 2, 5, false}, 8)); }

struct Bound {
    AlignedArray<float> src, weights, bias, diff_dst, dst, diff_src;
    std::vector<AlignedArray<float>> diff_weights, diff_bias;
    std::unique_ptr<ParameterFormat> format;

    explicit Bound(std::unique_ptr<ParameterFormat> kernel_format)
        : src(kSamples * incoming().sample_size()),
          weights(kernel_format->size()),
          bias(random_array(kUnits, 2)),
          diff_dst(random_array(kSamples * kUnits, 3)),
          dst(diff_dst.size()),
          diff_src(src.size()),
          format(std::move(kernel_format)) {
        RandomValues random(7);
        const Layout layout = incoming();
        for (std::size_t n = 0; n < kSamples; ++n)
            for (const std::uint32_t position : feature_positions(layout))
                src[n * layout.sample_size() + position] = random.floats(1)[0];
        format->pack(random.floats(30 * kUnits), weights.span());
    }
    LinearBuffers buffers() {
        LinearBuffers all{.src = src.data(),
                          .weights = weights.data(),
                          .bias = bias.data(),
                          .dst = dst.data(),
                          .diff_dst = diff_dst.data(),
                          .diff_src = diff_src.data(),
                          .diff_weights = {},
                          .diff_bias = {}};
        for (std::size_t i = 0; i < kShards.size(); ++i) {
            all.diff_weights.push_back(diff_weights.emplace_back(weights.size()).data());
            all.diff_bias.push_back(diff_bias.emplace_back(bias.size()).data());
        }
        return all;
    }
    std::vector<float> keras_gradient(std::size_t shard) const {
        std::vector<float> keras(30 * kUnits);
        format->unpack(diff_weights[shard].span(), keras);
        return keras;
    }
};

template <class Kernel>
void run(Kernel& kernel) {
    kernel.forward();
    kernel.backward_weights();
    kernel.backward_data();
}

void check_near(std::span<const float> found, std::span<const float> expected) {
    REQUIRE(found.size() == expected.size());
    float worst = 0.0F;
    for (std::size_t i = 0; i < found.size(); ++i)
        worst = std::max(worst, std::abs(found[i] - expected[i]));
    CHECK(worst < 1e-5F);
}

TEST_CASE("dense calls: a batch of several shards gives what oneDNN gives", "[trainer][kernel]") {
    ComputeEngine engine;
    const InnerProductFormat theirs(engine, incoming(), kUnits, true, int{kSamples});
    Bound expected(theirs.kernel_format());
    InnerProduct inner_product(theirs, expected.buffers(), {kShards, kShards}, kShards);
    run(inner_product);

    const DenseFormat ours(incoming(), kUnits, true);
    Bound found(ours.kernel_format());
    DenseCalls calls(ours, engine, found.buffers(), kShards);
    run(calls);

    check_near(found.dst.span(), expected.dst.span());
    check_near(found.diff_src.span(), expected.diff_src.span());
    for (std::size_t i = 0; i < kShards.size(); ++i) {
        CAPTURE(i);
        check_near(found.keras_gradient(i), expected.keras_gradient(i));
        check_near(found.diff_bias[i].span(), expected.diff_bias[i].span());
    }
}

TEST_CASE("dense calls: weights come back from the arena as they were", "[trainer][kernel]") {
    const DenseFormat format(incoming(), kUnits, false);
    const auto kernel = format.kernel_format();
    const std::vector<float> keras = RandomValues(5).floats(30 * kUnits);
    AlignedArray<float> arena(kernel->size());
    std::ranges::fill(arena.span(), 1.0F);  // padding becomes zero
    kernel->pack(keras, arena.span());
    CHECK(std::ranges::count(arena.span(), 0.0F) ==
          static_cast<std::ptrdiff_t>(arena.size() - keras.size()));
    std::vector<float> back(keras.size());
    kernel->unpack(arena.span(), back);
    CHECK(same_bits(back, keras));
}

TEST_CASE("dense calls: a rank without samples computes nothing", "[trainer][kernel]") {
    ComputeEngine engine;
    const DenseFormat format(incoming(), kUnits, true);
    DenseCalls calls(format, engine, LinearBuffers{}, {});
    calls.forward();
    calls.backward_weights();
    calls.backward_data();
}

}  // namespace
}  // namespace lockstep::trainer
