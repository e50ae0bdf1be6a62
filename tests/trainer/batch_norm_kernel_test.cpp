// Sums of batch normalization against plain loops in double, on every instruction set.
#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "tests/trainer/every_target.hpp"
#include "trainer/kernels/batch_norm.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

struct Sums {
    std::vector<double> first, second;  // one value a padded channel
    explicit Sums(const Layout& l)
        : first(static_cast<std::size_t>(l.padded_channels())), second(first.size()) {}
};

// Calls visit(padded channel, place in memory) for all that lies in `samples` samples.
template <class Visit>
void for_each_value(const Layout& l, int samples, Visit visit) {
    std::size_t i = 0;
    for (int n = 0; n < samples; ++n)
        for (int cb = 0; cb < l.channel_blocks(); ++cb)
            for (int p = 0; p < l.pixels(); ++p)
                for (int c = 0; c < l.block; ++c, ++i)
                    visit(static_cast<std::size_t>(cb * l.block + c), i);
}

Sums plain_moments(const Layout& l, const std::vector<float>& x, int samples) {
    Sums sums(l);
    const double count = static_cast<double>(l.pixels()) * samples;
    for_each_value(l, samples, [&](std::size_t c, std::size_t i) {
        sums.first[c] += static_cast<double>(x[i]) / count;
    });
    for_each_value(l, samples, [&](std::size_t c, std::size_t i) {
        const double deviation = static_cast<double>(x[i]) - sums.first[c];
        sums.second[c] += deviation * deviation;
    });
    return sums;
}

// Both moments to within `error` of the channel's deviation or variance, and not closer to zero
// than a float of the mean's size can tell.
void check_moments(const Layout& l, const std::vector<float>& x, int samples, double error) {
    Sums sums(l);
    batch_norm_moments(l, x.data(), samples, sums.first, sums.second);
    const Sums expected = plain_moments(l, x, samples);
    const double count = static_cast<double>(l.pixels()) * samples;
    for (std::size_t c = 0; c < sums.first.size(); ++c) {
        CAPTURE(c);
        const double deviation = std::sqrt(expected.second[c] / count);
        const double floor = 1e-12 * std::abs(expected.first[c]);
        CHECK(std::abs(sums.first[c] - expected.first[c]) <= error * deviation + floor);
        CHECK(std::abs(sums.second[c] - expected.second[c]) <=
              error * expected.second[c] + count * floor * floor);
    }
}

std::vector<float> values(const Layout& l, int samples, const std::function<double()>& value) {
    std::vector<float> x(l.sample_size() * static_cast<std::size_t>(samples));
    for (float& v : x) v = static_cast<float>(value());
    return x;
}

const std::vector<Layout>& layouts() {
    static const std::vector<Layout> kLayouts{
        {1, 1, 16, 16, nullptr},   {1, 1, 37, 37, nullptr},  {3, 5, 16, 8, nullptr},
        {4, 4, 48, 16, nullptr},   {1, 17, 10, 10, nullptr}, {7, 9, 32, 32, nullptr},
        {8, 8, 17, 16, nullptr},   {5, 13, 3, 3, nullptr},   {15, 15, 32, 16, nullptr},
        {32, 32, 32, 16, nullptr}, {9, 9, 2, 1, nullptr},    {3, 5, 3, 1, nullptr},
        {4, 4, 1, 1, nullptr},     {33, 65, 4, 1, nullptr},  {1, 1, 3, 1, nullptr}};
    return kLayouts;
}

}  // namespace

TEST_CASE("batch norm moments: any layout, number of pixels and samples", "[trainer][kernel]") {
    RandomValues random(1);
    for (const Layout& l : layouts())
        for (const int samples : {1, 2, 4}) {
            CAPTURE(l.height, l.width, l.channels, l.block, samples);
            const auto x = values(l, samples, [&] { return random.uniform(-1.0, 2.0); });
            on_every_target([&] { check_moments(l, x, samples, 1e-6); });
        }
}

TEST_CASE("batch norm moments: a mean far above the deviation, and channels mostly zero",
          "[trainer][kernel]") {
    RandomValues random(2);
    const Layout l{32, 32, 32, 16, nullptr};
    const auto far = values(l, 4, [&] { return random.uniform(9999.0, 10001.0); });
    const auto sparse =
        values(l, 4, [&] { return random.below(200) == 0 ? random.uniform(0.0, 1.0) : 0.0; });
    const auto constant = values(l, 4, [] { return 0.1; });
    on_every_target([&] {
        check_moments(l, far, 4, 1e-6);
        check_moments(l, sparse, 4, 1e-6);
        check_moments(l, constant, 4, 0.0);
    });
}

TEST_CASE("batch norm moments: first pixels unlike all others", "[trainer][kernel]") {
    RandomValues random(3);
    const Layout l{32, 32, 16, 16, nullptr};
    for (const double outlier : {1.0, 1e3, -1e6}) {
        auto x = values(l, 4, [&] { return random.uniform(0.0, 1.0); });
        std::fill_n(x.begin(), 16 * l.block, static_cast<float>(outlier));
        // One pixel in 256 of them: a float's rounding, 256 times larger beside the variance.
        on_every_target([&] { check_moments(l, x, 4, 2.0 * 256.0 * 0x1p-24); });
    }
}

TEST_CASE("batch norm gradient sums are those of plain loops", "[trainer][kernel]") {
    RandomValues random(4);
    for (const Layout& l : layouts()) {
        CAPTURE(l.height, l.width, l.channels, l.block);
        const auto x = values(l, 3, [&] { return random.uniform(0.0, 2.0); });
        const auto dy = values(l, 3, [&] { return random.uniform(-1.0, 1.0); });
        const std::vector<float> mean =
            random.floats(static_cast<std::size_t>(l.padded_channels()), 0.9, 1.1);
        Sums expected(l), size(l);
        for_each_value(l, 3, [&](std::size_t c, std::size_t i) {
            const double product = static_cast<double>(dy[i]) *
                                   (static_cast<double>(x[i]) - static_cast<double>(mean[c]));
            expected.first[c] += static_cast<double>(dy[i]);
            expected.second[c] += product;
            size.first[c] += std::abs(static_cast<double>(dy[i]));
            size.second[c] += std::abs(product);
        });
        on_every_target([&] {
            Sums sums(l);
            batch_norm_gradient_sums(l, x.data(), dy.data(), mean, 3, sums.first, sums.second);
            for (std::size_t c = 0; c < mean.size(); ++c) {
                CHECK(std::abs(sums.first[c] - expected.first[c]) <= 1e-6 * size.first[c]);
                CHECK(std::abs(sums.second[c] - expected.second[c]) <= 1e-6 * size.second[c]);
            }
        });
    }
}

TEST_CASE("batch norm backward may write over what it reads", "[trainer][kernel]") {
    RandomValues random(5);
    for (const Layout& l : layouts()) {
        CAPTURE(l.height, l.width, l.channels, l.block);
        const auto channels = static_cast<std::size_t>(l.padded_channels());
        const auto x = values(l, 2, [&] { return random.uniform(-1.0, 1.0); });
        const auto dy = values(l, 2, [&] { return random.uniform(-1.0, 1.0); });
        const auto mean = random.floats(channels), scale = random.floats(channels),
                   share = random.floats(channels), product = random.floats(channels);
        const BatchNormGradient gradient{mean, scale, share, product};
        std::vector<float> expected(x.size()), over_x = x, over_dy = dy;
        batch_norm_backward(l, x.data(), dy.data(), gradient, true, expected.data(), 2);
        batch_norm_backward(l, over_x.data(), dy.data(), gradient, true, over_x.data(), 2);
        batch_norm_backward(l, x.data(), over_dy.data(), gradient, true, over_dy.data(), 2);
        CHECK(over_x == expected);
        CHECK(over_dy == expected);
    }
}

TEST_CASE("batch norm: a value and its gradient have the same bits in planes and in blocks",
          "[trainer][kernel]") {
    RandomValues random(6);
    constexpr int kSamples = 2;
    for (const Shape& shape :
         {Shape{9, 7, 3, false}, Shape{4, 4, 1, false}, Shape{1, 1, 2, false}}) {
        CAPTURE(shape.height, shape.channels);
        const Layout few = planes(shape), padded = blocked(shape, 16);
        const auto x = values(few, kSamples, [&] { return random.uniform(-1.0, 1.0); });
        const auto dy = values(few, kSamples, [&] { return random.uniform(-1.0, 1.0); });
        const auto mean = random.floats(16), scale = random.floats(16), shift = random.floats(16),
                   product = random.floats(16);
        const BatchNormGradient gradient{mean, scale, shift, product};
        const auto moved = [&](const Layout& from, const std::vector<float>& values,
                               const Layout& to) {
            std::vector<float> result(kSamples * to.sample_size());
            relayout(from, values.data(), to, result.data(), kSamples);
            return result;
        };
        const auto x_padded = moved(few, x, padded), dy_padded = moved(few, dy, padded);
        on_every_target([&] {
            std::vector<float> y(x.size()), dx(x.size());
            std::vector<float> y_padded(x_padded.size()), dx_padded(x_padded.size());
            batch_norm_apply(few, x.data(), scale, shift, y.data(), kSamples);
            batch_norm_apply(padded, x_padded.data(), scale, shift, y_padded.data(), kSamples);
            CHECK(y == moved(padded, y_padded, few));
            batch_norm_backward(few, x.data(), dy.data(), gradient, true, dx.data(), kSamples);
            batch_norm_backward(padded, x_padded.data(), dy_padded.data(), gradient, true,
                                dx_padded.data(), kSamples);
            CHECK(dx == moved(padded, dx_padded, few));
        });
    }
}
