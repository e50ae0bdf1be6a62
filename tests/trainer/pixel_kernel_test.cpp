// Kernels over pixels and their channels, layer normalization and images beside images of one
// pixel, against plain loops in double, on every instruction set.
#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "tests/support/worst_error.hpp"
#include "tests/trainer/every_target.hpp"
#include "trainer/kernels/broadcast.hpp"
#include "trainer/kernels/layer_norm.hpp"
#include "trainer/kernels/padding.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

constexpr int kSamples = 3;

std::vector<Layout> layouts() {
    std::vector<Layout> all;
    for (const int channels : {1, 7, 16, 17, 40})
        for (const int block : {1, 8, 16, channels})
            for (const auto& [height, width] : {std::pair{1, 1}, {3, 5}, {13, 11}})
                all.push_back({height, width, channels, block, nullptr});
    return all;
}

// Random values, zero where there is padding.
std::vector<float> values(const Layout& l, RandomValues& random) {
    std::vector<float> x = random.floats(kSamples * l.sample_size());
    PaddingPlaces(l).clear(x.data(), kSamples);
    return x;
}

// One value a padded channel.
std::vector<float> of_channels(const Layout& l, RandomValues& random) {
    std::vector<float> x = random.floats(static_cast<std::size_t>(l.padded_channels()), 0.5, 1.5);
    const std::vector<float> mask = channel_mask(l);
    for (std::size_t c = 0; c < x.size(); ++c) x[c] *= mask[c];
    return x;
}

// visit(place in memory, sample, pixel, channel) of all that is no padding.
template <class Visit>
void for_each_value(const Layout& l, Visit visit) {
    for (int n = 0; n < kSamples; ++n)
        for (int h = 0; h < l.height; ++h)
            for (int w = 0; w < l.width; ++w)
                for (int c = 0; c < l.channels; ++c)
                    visit(static_cast<std::size_t>(n) * l.sample_size() + l.position(h, w, c), n,
                          static_cast<std::size_t>(n * l.pixels() + h * l.width + w),
                          static_cast<std::size_t>(c));
}

struct PlainMoments {
    std::vector<double> mean, inv_std;  // by pixel of all samples
};

PlainMoments plain_moments(const Layout& l, const std::vector<float>& x, double epsilon) {
    const auto pixels = static_cast<std::size_t>(kSamples * l.pixels());
    PlainMoments moments{std::vector<double>(pixels), std::vector<double>(pixels)};
    for_each_value(l, [&](std::size_t at, int, std::size_t pixel, std::size_t) {
        moments.mean[pixel] += static_cast<double>(x[at]) / l.channels;
    });
    for_each_value(l, [&](std::size_t at, int, std::size_t pixel, std::size_t) {
        const double deviation = static_cast<double>(x[at]) - moments.mean[pixel];
        moments.inv_std[pixel] += deviation * deviation / l.channels;
    });
    for (double& value : moments.inv_std) value = 1.0 / std::sqrt(value + epsilon);
    return moments;
}

}  // namespace

TEST_CASE("layer normalization and its gradients, in any layout", "[trainer][kernel]") {
    RandomValues random(1);
    for (const Layout& l : layouts()) {
        CAPTURE(l.height, l.channels, l.block);
        const auto x = values(l, random), dy = values(l, random);
        const auto gamma = of_channels(l, random), beta = of_channels(l, random);
        const std::vector<float> mask = channel_mask(l);
        const LayerNormValues tensors{l.channels, mask.data(), gamma.data(), beta.data()};
        const PlainMoments plain = plain_moments(l, x, 1e-3);
        const auto pixels = plain.mean.size();
        std::vector<double> y(x.size()), dx(x.size()), sum(mask.size()), product(mask.size());
        std::vector<double> share(pixels), unit_share(pixels);
        const auto unit = [&](std::size_t at, std::size_t pixel) {
            return (static_cast<double>(x[at]) - plain.mean[pixel]) * plain.inv_std[pixel];
        };
        const auto gradient = [&](std::size_t at, std::size_t c) {
            return static_cast<double>(dy[at]) * static_cast<double>(gamma[c]);
        };
        for_each_value(l, [&](std::size_t at, int, std::size_t pixel, std::size_t c) {
            y[at] = unit(at, pixel) * static_cast<double>(gamma[c]) + static_cast<double>(beta[c]);
            share[pixel] += gradient(at, c) / l.channels;
            unit_share[pixel] += gradient(at, c) * unit(at, pixel) / l.channels;
            sum[c] += static_cast<double>(dy[at]);
            product[c] += static_cast<double>(dy[at]) * unit(at, pixel);
        });
        for_each_value(l, [&](std::size_t at, int, std::size_t pixel, std::size_t c) {
            dx[at] = plain.inv_std[pixel] *
                     (gradient(at, c) - share[pixel] - unit(at, pixel) * unit_share[pixel]);
        });
        on_every_target([&] {
            std::vector<float> found(x.size()), over = x, diff = dy;
            std::vector<PixelMoments> moments(pixels);
            layer_norm_forward(l, x.data(), tensors, 1e-3, found.data(), moments.data(), kSamples);
            CHECK(worst_error(found, y) <= 3e-6);
            layer_norm_forward(l, over.data(), tensors, 1e-3, over.data(), moments.data(),
                               kSamples);
            CHECK(over == found);
            layer_norm_backward(l, x.data(), diff.data(), tensors, moments.data(), diff.data(),
                                kSamples);
            CHECK(worst_error(diff, dx) <= 2e-5);
            std::vector<double> sums(mask.size()), products(mask.size());
            layer_norm_gradient_sums(l, x.data(), dy.data(), moments.data(), kSamples, sums,
                                     products);
            for (std::size_t c = 0; c < mask.size(); ++c) {
                CHECK(std::abs(sums[c] - sum[c]) <= 1e-5);
                CHECK(std::abs(products[c] - product[c]) <= 1e-4);
            }
        });
    }
}

TEST_CASE("images with images of one pixel, and sums over pixels", "[trainer][kernel]") {
    RandomValues random(2);
    for (const Layout& l : layouts()) {
        CAPTURE(l.height, l.channels, l.block);
        const auto a = values(l, random), b = values(l, random);
        const auto padded = static_cast<std::size_t>(l.padded_channels());
        const std::vector<float> pixel = random.floats(kSamples * padded);
        const auto pixel_at = [&](int n, std::size_t c) {
            return static_cast<std::size_t>(n) * padded + c;
        };
        std::vector<float> sum(a.size()), product(a.size());
        std::vector<double> total(pixel.size()), total_product(pixel.size());
        for_each_value(l, [&](std::size_t at, int n, std::size_t, std::size_t c) {
            sum[at] = a[at] + pixel[pixel_at(n, c)];
            product[at] = a[at] * pixel[pixel_at(n, c)];
            total[pixel_at(n, c)] += static_cast<double>(a[at]);
            total_product[pixel_at(n, c)] +=
                static_cast<double>(a[at]) * static_cast<double>(b[at]);
        });
        on_every_target([&] {
            std::vector<float> found = a, sums(pixel.size());
            multiply_by_pixel(l, found.data(), pixel.data(), found.data(), kSamples);
            CHECK(found == product);
            add_pixel(l, a.data(), pixel.data(), found.data(), kSamples);
            PaddingPlaces(l).clear(found.data(), kSamples);  // it was a's zeros and random values
            CHECK(found == sum);
            sum_over_pixels(l, a.data(), nullptr, sums.data(), kSamples);
            CHECK(worst_error(sums, total) <= 1e-5);
            sum_over_pixels(l, a.data(), b.data(), sums.data(), kSamples);
            CHECK(worst_error(sums, total_product) <= 1e-5);
        });
    }
}
