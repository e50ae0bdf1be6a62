// Dropout of whole channels: Philox at the documented counters, whatever layout and cut.
#include "trainer/layers/spatial_dropout.hpp"

#include <memory>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/layer_pass.hpp"
#include "tests/support/layer_probe.hpp"
#include "tests/support/random_values.hpp"
#include "trainer/determinism/random.hpp"
#include "trainer/determinism/shards.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

constexpr std::uint64_t kSeed = 5;
constexpr std::uint32_t kLayer = 3;
constexpr std::int64_t kStep = 7;

struct Result {
    std::vector<float> dst, diff_src;
};

Result run(double rate, const Layout& layout, const BatchGeometry& geometry,
           const std::vector<float>& src, const std::vector<float>& diff_dst) {
    const Communicator self(MPI_COMM_SELF);
    const SpatialDropout layer({.rate = rate, .is_spatial = true}, kLayer, layout);
    LayerPass pass(layer, {.geometry = geometry, .seed = kSeed}, self);
    std::vector<float> dst = pass.forward(src, kStep);
    return {std::move(dst), pass.backward(diff_dst)};
}

BatchGeometry whole(int samples) { return {samples, 0, samples, {{0, samples}}}; }

// The documented draw of element i of a sample: 16 bits of Philox.
bool is_kept(double rate, std::uint32_t sample, std::uint32_t i) {
    const RandomWords words = random_words(
        random_key(kSeed, Purpose::dropout),
        {static_cast<std::uint32_t>(kStep), kLayer << 16, sample, i / 128 * 16 + i % 16});
    const std::uint32_t number = i / 16 % 8;
    return (words[number / 2] >> (number % 2 * 16) & 0xFFFFU) >= rate * 65536.0;
}

// values: interleaved, of samples of `pixels` pixels.
std::vector<float> expected(double rate, int pixels, int channels, const std::vector<float>& src) {
    const auto scale = static_cast<float>(1.0 / (1.0 - rate));
    std::vector<float> dst;
    for (std::size_t i = 0; i < src.size(); ++i) {
        const auto c = static_cast<std::size_t>(channels), p = static_cast<std::size_t>(pixels);
        const bool kept = is_kept(rate, static_cast<std::uint32_t>(i / (c * p)),
                                  static_cast<std::uint32_t>(i % c));
        dst.push_back(kept ? src[i] * scale : 0.0F);
    }
    return dst;
}

std::vector<float> moved(const Layout& from, const std::vector<float>& values, const Layout& to,
                         int samples) {
    std::vector<float> result(static_cast<std::size_t>(samples) * to.sample_size());
    relayout(from, values.data(), to, result.data(), samples);
    return result;
}

}  // namespace

TEST_CASE("whole channels are dropped, by draws of their own, in any layout",
          "[trainer][dropout]") {
    RandomValues random(1);
    for (const double rate : {0.25, 0.5, 0.9})
        for (const int channels : {1, 7, 16, 17, 130}) {
            const Shape shape{3, 2, channels, false};
            const auto size = static_cast<std::size_t>(shape.size());
            const auto src = random.floats(5 * size), diff_dst = random.floats(5 * size);
            const Layout keras = interleaved(shape);
            for (const Layout& layout :
                 {keras, planes(shape), blocked(shape, 8), blocked(shape, 16)}) {
                CAPTURE(rate, channels, layout.block);
                const Result found = run(rate, layout, whole(5), moved(keras, src, layout, 5),
                                         moved(keras, diff_dst, layout, 5));
                CHECK(moved(layout, found.dst, keras, 5) == expected(rate, 6, channels, src));
                CHECK(moved(layout, found.diff_src, keras, 5) ==
                      expected(rate, 6, channels, diff_dst));
            }
        }
}

TEST_CASE("the channels that a sample loses do not depend on the ranks", "[trainer][dropout]") {
    constexpr int kBatch = 11, kShards = 5;
    const Shape shape{3, 3, 16, false};
    const auto size = static_cast<std::size_t>(shape.size());
    RandomValues random(2);
    const auto src = random.floats(kBatch * size);
    const Layout layout = blocked(shape, 16);
    const Result together = run(0.4, layout, whole(kBatch), src, src);
    for (int ranks = 2; ranks <= kShards; ++ranks) {
        std::vector<float> joined;
        for (int rank = 0; rank < ranks; ++rank) {
            const BatchGeometry geometry = batch_geometry(kBatch, kShards, ranks, rank);
            const auto first =
                src.begin() + static_cast<std::ptrdiff_t>(size) * geometry.first_sample;
            const std::vector<float> own(
                first, first + static_cast<std::ptrdiff_t>(size) * geometry.samples);
            const Result part = run(0.4, layout, geometry, own, own);
            joined.insert(joined.end(), part.dst.begin(), part.dst.end());
        }
        CHECK(joined == together.dst);
    }
}

TEST_CASE("evaluation drops no channel", "[trainer][dropout]") {
    RandomValues random(3);
    const auto src = random.floats(3 * 4 * 7);
    LayerProbeSetting setting;
    setting.config = {"spatial_dropout2d", DropoutConfig{.rate = 0.5, .is_spatial = true}};
    setting.input = {2, 2, 7, false};
    setting.batch = 3;
    setting.is_training = false;
    const Communicator self(MPI_COMM_SELF);
    CHECK(LayerProbe(setting, self).forward(src) == src);
}
