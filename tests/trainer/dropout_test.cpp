// Dropout's masks: Philox at the documented counters, whatever the cut of the batch.
#include "trainer/layers/dropout.hpp"

#include <cmath>
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

struct DropoutCase {
    double rate = 0.4;
    std::uint32_t layer = 3;
    std::uint64_t seed = 5;
    std::int64_t step = 7;
};

struct DropoutResult {
    std::vector<float> dst;
    std::vector<float> diff_src;
};

// Runs the samples [first, first + count) of a batch of `batch`, forward and backward.
DropoutResult run(const DropoutCase& c, const Layout& layout, const BatchGeometry& geometry,
                  const std::vector<float>& src, const std::vector<float>& diff_dst) {
    const Communicator self(MPI_COMM_SELF);
    const Dropout layer({c.rate}, c.layer, layout);
    LayerPass pass(layer, {.geometry = geometry, .seed = c.seed}, self);
    std::vector<float> dst = pass.forward(src, c.step);
    return {std::move(dst), pass.backward(diff_dst)};
}

BatchGeometry whole(int samples) { return {samples, 0, samples, {{0, samples}}}; }

// The documented draw of element i of a sample: 16 bits of Philox.
std::uint32_t draw(const DropoutCase& c, std::uint32_t sample, std::uint32_t i) {
    const auto step = static_cast<std::uint64_t>(c.step);
    const RandomWords words = random_words(
        random_key(c.seed, Purpose::dropout),
        {static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(step >> 32) ^ c.layer << 16,
         sample, i / 128 * 16 + i % 16});
    const std::uint32_t number = i / 16 % 8;
    return words[number / 2] >> (number % 2 * 16) & 0xFFFFU;
}

// src where the draw lets it through, scaled.
std::vector<float> expected(const DropoutCase& c, std::size_t size, const std::vector<float>& src) {
    const auto scale = static_cast<float>(1.0 / (1.0 - c.rate));
    std::vector<float> dst(src.size());
    for (std::size_t k = 0; k < src.size(); ++k) {
        const bool is_kept = draw(c, static_cast<std::uint32_t>(k / size),
                                  static_cast<std::uint32_t>(k % size)) >= c.rate * 65536.0;
        dst[k] = is_kept ? src[k] * scale : 0.0F;
    }
    return dst;
}

}  // namespace

TEST_CASE("the mask is Philox's, and the gradient goes through the same one",
          "[trainer][dropout]") {
    RandomValues random(1);
    for (const double rate : {0.25, 0.5, 0.9})
        for (const std::int64_t step : {std::int64_t{0}, std::int64_t{7}, std::int64_t{1} << 33})
            for (const Shape& shape : {Shape{1, 1, 1, true}, Shape{1, 1, 127, true},
                                       Shape{1, 1, 129, true}, Shape{9, 7, 16, false}}) {
                CAPTURE(rate, step, to_string(shape));
                const DropoutCase c{.rate = rate, .step = step};
                const auto size = static_cast<std::size_t>(shape.size());
                const auto src = random.floats(5 * size), diff_dst = random.floats(5 * size);
                const DropoutResult result =
                    run(c, blocked(shape, shape.channels), whole(5), src, diff_dst);
                CHECK(result.dst == expected(c, size, src));
                CHECK(result.diff_src == expected(c, size, diff_dst));
            }
}

TEST_CASE("the mask of a sample does not depend on the ranks", "[trainer][dropout]") {
    constexpr int kBatch = 11, kShards = 5;
    const Shape shape{3, 3, 16, false};
    const auto size = static_cast<std::size_t>(shape.size());
    RandomValues random(2);
    const auto src = random.floats(kBatch * size), diff_dst = random.floats(kBatch * size);
    const DropoutCase c;
    const DropoutResult together = run(c, blocked(shape, 16), whole(kBatch), src, diff_dst);
    for (int ranks = 2; ranks <= kShards; ++ranks) {
        DropoutResult joined;
        for (int rank = 0; rank < ranks; ++rank) {
            const BatchGeometry geometry = batch_geometry(kBatch, kShards, ranks, rank);
            const auto piece = [&](const std::vector<float>& values) {
                const auto first = values.begin() + std::ptrdiff_t{geometry.first_sample} *
                                                        static_cast<std::ptrdiff_t>(size);
                return std::vector<float>(first, first + std::ptrdiff_t{geometry.samples} *
                                                             static_cast<std::ptrdiff_t>(size));
            };
            const DropoutResult part =
                run(c, blocked(shape, 16), geometry, piece(src), piece(diff_dst));
            joined.dst.insert(joined.dst.end(), part.dst.begin(), part.dst.end());
            joined.diff_src.insert(joined.diff_src.end(), part.diff_src.begin(),
                                   part.diff_src.end());
        }
        CHECK(joined.dst == together.dst);
        CHECK(joined.diff_src == together.diff_src);
    }
}

TEST_CASE("seeds, steps, layers and samples have masks of their own", "[trainer][dropout]") {
    const Shape shape{1, 1, 500, true};
    const std::vector<float> ones(2 * 500, 1.0F);
    const auto mask = [&](const DropoutCase& c) {
        return run(c, interleaved(shape), whole(2), ones, ones).dst;
    };
    const auto base = mask({});
    CHECK(mask({}) == base);
    CHECK(mask({.layer = 4}) != base);
    CHECK(mask({.seed = 6}) != base);
    CHECK(mask({.step = 8}) != base);
    CHECK(std::vector<float>(base.begin(), base.begin() + 500) !=
          std::vector<float>(base.begin() + 500, base.end()));
}

TEST_CASE("the fraction dropped is the rate", "[trainer][dropout]") {
    constexpr int kSamples = 100;
    const Shape shape{1, 1, 1000, true};
    const std::vector<float> ones(kSamples * 1000, 1.0F);
    for (const double rate : {0.01, 0.25, 0.5, 0.9}) {
        const auto dst = run({.rate = rate}, interleaved(shape), whole(kSamples), ones, ones).dst;
        double dropped = 0.0;
        for (const float value : dst) dropped += value == 0.0F ? 1.0 : 0.0;
        const double count = kSamples * 1000.0;
        // five standard errors, and the rate's rounding to 16 bits
        CHECK(std::abs(dropped / count - rate) <
              5.0 * std::sqrt(rate * (1.0 - rate) / count) + 1.0 / 65536.0);
    }
}

TEST_CASE("evaluation drops nothing and scales nothing", "[trainer][dropout]") {
    RandomValues random(3);
    const auto src = random.floats(3 * 50);
    LayerProbeSetting setting;
    setting.config = {"dropout", DropoutConfig{0.5}};
    setting.input = {1, 1, 50, true};
    setting.batch = 3;
    setting.is_training = false;
    const Communicator self(MPI_COMM_SELF);
    CHECK(LayerProbe(setting, self).forward(src) == src);
}
