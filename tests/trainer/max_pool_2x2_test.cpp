// Pooling together with batch normalization and dropout, against plain loops, on every instruction
// set. All values are small multiples of powers of two, so that nothing rounds and results are
// equal.
#include "trainer/kernels/max_pool_2x2.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "tests/trainer/every_target.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

constexpr int kSamples = 3;
constexpr DropoutDraw kDraw{{11, 12}, {7, 8, 9}, 1U << 15, 2.0F};

struct Size {
    int height, width, channels, block;
};

PoolingShape pool_of(const Size& size) {
    const Layout src{size.height, size.width, size.channels, size.block, nullptr};
    const Layout dst{size.height / 2, size.width / 2, size.channels, size.block, nullptr};
    return {src, dst, {2, 2}, {2, 2}, {0, 0}};
}

// Odd and even sides, full vectors and single channels; draws of a channel block or a sample that
// end within a run of 128 or between runs.
std::vector<PoolingShape> shapes() {
    std::vector<PoolingShape> all;
    for (const Size& size : std::vector<Size>{{2, 2, 16, 16},
                                              {3, 3, 16, 16},
                                              {2, 3, 8, 8},
                                              {4, 5, 24, 8},
                                              {5, 4, 10, 10},
                                              {6, 7, 3, 1},
                                              {4, 4, 17, 16},
                                              {3, 6, 32, 32},
                                              {16, 16, 32, 16},
                                              {15, 15, 32, 16},
                                              {17, 34, 16, 16}})
        all.push_back(pool_of(size));
    return all;
}

std::size_t floats(const Layout& l, int samples = kSamples) {
    return l.sample_size() * static_cast<std::size_t>(samples);
}

// Multiples of 1/8 in [-low/8, (values - low)/8).
std::vector<float> eighths(RandomValues& random, std::size_t count, std::uint32_t values, int low) {
    std::vector<float> all(count);
    for (float& value : all)
        value = static_cast<float>(static_cast<int>(random.below(values)) - low) / 8.0F;
    return all;
}

// What one channel has, in blocks of padded channels.
struct ChannelValues {
    std::vector<float> mean, scale, shift, sum_share, product_share;
    explicit ChannelValues(const Layout& l) {
        for (int c = 0; c < l.padded_channels(); ++c) {
            mean.push_back(static_cast<float>(c % 5) / 8.0F);
            scale.push_back(c % 3 == 0 ? -0.5F : c % 7 == 0 ? 0.0F : 2.0F);  // maxima, minima, ties
            shift.push_back(static_cast<float>(c % 4) - 1.0F);
            sum_share.push_back(static_cast<float>(c % 2) / 4.0F);
            product_share.push_back(static_cast<float>(c % 3) / 16.0F);
        }
    }
    BatchNormGradient gradient() const { return {mean, scale, sum_share, product_share}; }
};

bool is_kept(const DropoutDraw& draw, int sample, std::size_t i) {
    const RandomWords words =
        random_words(draw.key, {draw.counter[0], draw.counter[1],
                                draw.counter[2] + static_cast<std::uint32_t>(sample),
                                static_cast<std::uint32_t>(i / 128 * 16 + i % 16)});
    const std::size_t number = i / 16 % 8;
    return (words[number / 2] >> (number % 2 * 16) & 0xFFFFU) >= draw.threshold;
}

struct PooledValues {
    std::vector<float> y;
    std::vector<PoolRoute> routes;
};

// The definition. `values`: what is pooled; off: whether a ReLU was off where the maximum is.
template <class Off>
PooledValues plain_pool(const PoolingShape& s, const std::vector<float>& values, bool drops,
                        Off off) {
    PooledValues pooled;
    std::size_t plane = 0;  // where the window's channel block begins
    for (int n = 0; n < kSamples; ++n)
        for (int cb = 0; cb < s.src.channel_blocks(); ++cb) {
            for (int oh = 0; oh < s.dst.height; ++oh)
                for (int ow = 0; ow < s.dst.width; ++ow)
                    for (int c = 0; c < s.src.block; ++c) {
                        std::size_t best = 0;
                        int place = -1;
                        for (int p = 0; p < 4; ++p) {
                            const auto at =
                                plane + static_cast<std::size_t>(
                                            ((2 * oh + p / 2) * s.src.width + 2 * ow + p % 2) *
                                                s.src.block +
                                            c);
                            if (place < 0 || values[at] > values[best]) best = at, place = p;
                        }
                        const std::size_t i = pooled.y.size() % s.dst.sample_size();
                        const bool is_dropped = drops && !is_kept(kDraw, n, i);
                        pooled.y.push_back(is_dropped ? 0.0F
                                                      : values[best] * (drops ? 2.0F : 1.0F));
                        pooled.routes.push_back(is_dropped || off(values[best])
                                                    ? kNoRoute
                                                    : static_cast<PoolRoute>(place));
                    }
            plane += static_cast<std::size_t>(s.src.pixels() * s.src.block);
        }
    return pooled;
}

// What routes lead to each pixel.
std::vector<float> plain_gradient(const PoolingShape& s, const std::vector<float>& diff_y,
                                  const std::vector<PoolRoute>& routes, float scale) {
    std::vector<float> dx(floats(s.src), 0.0F);
    std::size_t i = 0, plane = 0;
    for (int block = 0; block < kSamples * s.src.channel_blocks(); ++block) {
        for (int oh = 0; oh < s.dst.height; ++oh)
            for (int ow = 0; ow < s.dst.width; ++ow)
                for (int c = 0; c < s.src.block; ++c, ++i)
                    if (const int p = routes[i]; p != kNoRoute)
                        dx[plane +
                           static_cast<std::size_t>(
                               ((2 * oh + p / 2) * s.src.width + 2 * ow + p % 2) * s.src.block +
                               c)] = diff_y[i] * scale;
        plane += static_cast<std::size_t>(s.src.pixels() * s.src.block);
    }
    return dx;
}

std::size_t channel_of(const Layout& l, std::size_t at) {
    const auto block = static_cast<std::size_t>(l.block);
    const std::size_t in_sample = at % l.sample_size();
    return in_sample / (static_cast<std::size_t>(l.pixels()) * block) * block + in_sample % block;
}

#define CAPTURE_POOL(s) CAPTURE((s).src.height, (s).src.width, (s).src.channels, (s).src.block)

}  // namespace

TEST_CASE("2 x 2 max pooling and dropout: the definition, there and back", "[trainer][kernel]") {
    RandomValues random(1);
    for (const PoolingShape& s : shapes())
        for (const bool src_is_relu : {false, true})
            for (const bool drops : {false, true}) {
                CAPTURE_POOL(s);
                CAPTURE(src_is_relu, drops);
                auto x = eighths(random, floats(s.src), 6, 3);  // often equal
                if (src_is_relu)
                    for (float& value : x) value = std::max(value, 0.0F);
                const auto diff_y = eighths(random, floats(s.dst), 64, 32);
                const PooledValues expected = plain_pool(
                    s, x, drops, [&](float value) { return src_is_relu && !(value > 0.0F); });
                on_every_target([&] {
                    PooledValues pooled{std::vector<float>(floats(s.dst)),
                                        std::vector<PoolRoute>(floats(s.dst))};
                    max_pool_2x2_forward(
                        s, x.data(), src_is_relu,
                        {pooled.y.data(), pooled.routes.data(), drops ? &kDraw : nullptr},
                        kSamples);
                    CHECK(pooled.y == expected.y);
                    CHECK(pooled.routes == expected.routes);
                    std::vector<float> dx(floats(s.src), 99.0F);
                    const float scale = drops ? kDraw.scale : 1.0F;
                    max_pool_2x2_backward(s, {diff_y.data(), pooled.routes.data(), scale},
                                          dx.data(), kSamples);
                    CHECK(dx == plain_gradient(s, diff_y, expected.routes, scale));
                });
            }
}

TEST_CASE("batch norm, 2 x 2 max pooling and dropout: the definition forward",
          "[trainer][kernel]") {
    RandomValues random(2);
    for (const PoolingShape& s : shapes())
        for (const bool drops : {false, true}) {
            CAPTURE_POOL(s);
            CAPTURE(drops);
            const ChannelValues channel(s.src);
            const auto x = eighths(random, floats(s.src), 32, 16);
            auto values = x;
            for (std::size_t i = 0; i < x.size(); ++i) {
                const std::size_t c = channel_of(s.src, i);
                values[i] = x[i] * channel.scale[c] + channel.shift[c];
            }
            const PooledValues expected = plain_pool(s, values, drops, [](float) { return false; });
            on_every_target([&] {
                PooledValues pooled{std::vector<float>(floats(s.dst)),
                                    std::vector<PoolRoute>(floats(s.dst))};
                batch_norm_max_pool_2x2_forward(
                    s, x.data(), channel.scale, channel.shift,
                    {pooled.y.data(), pooled.routes.data(), drops ? &kDraw : nullptr}, kSamples);
                CHECK(pooled.y == expected.y);
                CHECK(pooled.routes == expected.routes);
                if (drops) return;
                std::vector<float> y(floats(s.dst));  // as in evaluation: no routes
                batch_norm_max_pool_2x2_forward(s, x.data(), channel.scale, channel.shift,
                                                {y.data(), nullptr}, kSamples);
                CHECK(y == expected.y);
            });
        }
}

TEST_CASE("batch norm, 2 x 2 max pooling and dropout: the definition backward",
          "[trainer][kernel]") {
    RandomValues random(3);
    for (const PoolingShape& s : shapes())
        for (const bool src_is_relu : {false, true}) {
            CAPTURE_POOL(s);
            const ChannelValues channel(s.src);
            auto x = eighths(random, floats(s.src), 16, 8);
            if (src_is_relu)
                for (float& value : x) value = std::max(value, 0.0F);
            const auto diff_y = eighths(random, floats(s.dst), 64, 32);
            std::vector<PoolRoute> routes(floats(s.dst));
            for (PoolRoute& route : routes) route = static_cast<PoolRoute>(random.below(5));
            const auto dy = plain_gradient(s, diff_y, routes, 2.0F);
            std::vector<double> sum(channel.mean.size(), 0.0), product = sum;
            std::vector<float> expected(x.size());
            for (std::size_t i = 0; i < x.size(); ++i) {
                const std::size_t c = channel_of(s.src, i);
                const float deviation = x[i] - channel.mean[c];
                sum[c] += static_cast<double>(dy[i]);
                product[c] += static_cast<double>(dy[i] * deviation);
                const float diff = channel.scale[c] * (dy[i] - channel.sum_share[c] -
                                                       deviation * channel.product_share[c]);
                expected[i] = src_is_relu && !(x[i] > 0.0F) ? 0.0F : diff;
            }
            on_every_target([&] {
                const PooledGradient pooled{diff_y.data(), routes.data(), 2.0F};
                std::vector<double> sums(sum.size()), products(sum.size());
                batch_norm_max_pool_2x2_gradient_sums(s, x.data(), pooled, channel.mean, kSamples,
                                                      sums, products);
                CHECK(sums == sum);
                CHECK(products == product);
                auto dx = x;  // in place
                batch_norm_max_pool_2x2_backward(s, dx.data(), pooled, channel.gradient(),
                                                 src_is_relu, dx.data(), kSamples);
                CHECK(dx == expected);
            });
        }
}

TEST_CASE("2 x 2 max pooling: a sample's result is its own", "[trainer][kernel]") {
    RandomValues random(4);
    const PoolingShape s = pool_of({7, 6, 32, 16});
    const auto x = random.floats(floats(s.src));
    std::vector<float> together(floats(s.dst)), alone(floats(s.dst));
    std::vector<PoolRoute> routes(floats(s.dst)), routes_alone(floats(s.dst));
    max_pool_2x2_forward(s, x.data(), false, {together.data(), routes.data(), &kDraw}, kSamples);
    DropoutDraw draw = kDraw;
    for (std::size_t n = 0; n < kSamples; ++n, ++draw.counter[2])
        max_pool_2x2_forward(s, x.data() + n * s.src.sample_size(), false,
                             {alone.data() + n * s.dst.sample_size(),
                              routes_alone.data() + n * s.dst.sample_size(), &draw},
                             1);
    CHECK(alone == together);
    CHECK(routes_alone == routes);
}

TEST_CASE("2 x 2 max pooling lets a NaN through where it stands first", "[trainer][kernel]") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const int block : {1, 16}) {
        const PoolingShape s = pool_of({2, 2, block, block});
        on_every_target([&] {
            const auto pooled = [&](const std::vector<float>& window) {
                std::vector<float> x;
                for (const float value : window)
                    x.insert(x.end(), static_cast<std::size_t>(block), value);
                std::vector<float> y(static_cast<std::size_t>(block));
                max_pool_2x2_forward(s, x.data(), false, {y.data(), nullptr}, 1);
                return y.back();
            };
            CHECK(std::isnan(pooled({nan, 1, 2, 3})));
            CHECK(pooled({1, nan, 0, 0}) == 1.0F);
            CHECK(pooled({1, 0, nan, 3}) == 3.0F);
            CHECK(pooled({1, 0, 2, nan}) == 2.0F);
        });
    }
}

TEST_CASE("which pools are of 2 x 2 windows side by side", "[trainer][kernel]") {
    CHECK(is_max_pool_2x2(pool_of({4, 5, 8, 8})));
    PoolingShape s = pool_of({4, 5, 8, 8});
    s.strides[1] = 1;
    CHECK_FALSE(is_max_pool_2x2(s));
    s = pool_of({4, 5, 8, 8});
    s.dst.width = 3;  // "same": the last window is clipped
    CHECK_FALSE(is_max_pool_2x2(s));
    s = pool_of({4, 4, 8, 8});
    s.pool_size[0] = 3;
    CHECK_FALSE(is_max_pool_2x2(s));
}
