// Initial weights: distributions by bounds, moments and Pearson's test; purity.
#include "trainer/parameters/initializers.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/tiny_training.hpp"
#include "tests/support/worst_error.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

const std::vector<std::int64_t> kShape{3, 3, 16, 32};  // fans 144 and 288
constexpr double kGlorotVariance = 2.0 / (144.0 + 288.0);
constexpr double kHeVariance = 2.0 / 144.0;
constexpr double kLecunVariance = 1.0 / 144.0;

std::vector<float> kernel(const InitializerConfig& initializer, std::uint64_t seed = 1) {
    return initial_values(initializer, kShape, seed, 2, 0);
}

double largest(const std::vector<float>& values) {
    double top = 0.0;
    for (const float value : values) top = worse_of(top, std::abs(static_cast<double>(value)));
    return top;
}

// Within five standard errors of zero mean and the variance; kurtosis is at most a normal's.
void check_moments(const std::vector<float>& values, double variance) {
    const auto n = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    double squares = 0.0;
    for (const float value : values)
        squares += static_cast<double>(value) * static_cast<double>(value);
    CHECK(std::abs(mean) < 5.0 * std::sqrt(variance / n));
    CHECK(squares / n / variance == Approx(1.0).margin(5.0 * std::sqrt(2.0 / n)));
}

// Pearson's statistic over 20 equally likely bins; 19 degrees of freedom.
double chi_square(const std::vector<float>& values, const std::function<double(double)>& cdf) {
    std::vector<double> counts(20, 0.0);
    for (const float value : values)
        counts[std::min<std::size_t>(
            19, static_cast<std::size_t>(20.0 * cdf(static_cast<double>(value))))] += 1.0;
    const double expected = static_cast<double>(values.size()) / 20.0;
    double sum = 0.0;
    for (const double count : counts) sum += (count - expected) * (count - expected) / expected;
    return sum;
}
constexpr double kQuantile999 = 43.8;

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

}  // namespace

TEST_CASE("uniform initializers fill their interval evenly", "[trainer][initializer]") {
    for (const auto& [initializer, variance] :
         {std::pair{Initializer::glorot_uniform, kGlorotVariance},
          std::pair{Initializer::he_uniform, kHeVariance},
          std::pair{Initializer::lecun_uniform, kLecunVariance}}) {
        const auto values = kernel(initializer);
        const double limit = std::sqrt(3.0 * variance);
        CHECK(largest(values) <= limit * (1.0 + 1e-7));
        CHECK(largest(values) > 0.99 * limit);
        check_moments(values, variance);
        CHECK(chi_square(values, [&](double v) { return (v / limit + 1.0) / 2.0; }) < kQuantile999);
    }
}

TEST_CASE("normal initializers are truncated at two deviations and keep their variance",
          "[trainer][initializer]") {
    for (const auto& [initializer, variance] :
         {std::pair{Initializer::glorot_normal, kGlorotVariance},
          std::pair{Initializer::he_normal, kHeVariance},
          std::pair{Initializer::lecun_normal, kLecunVariance}}) {
        const auto values = kernel(initializer);
        // The deviation before truncation, from the truncated normal's variance in closed form.
        const double density_at_2 = std::exp(-2.0) / std::sqrt(2.0 * std::acos(-1.0));
        const double kept = 1.0 - 2.0 * normal_cdf(-2.0);
        const double deviation = std::sqrt(variance / (1.0 - 2.0 * 2.0 * density_at_2 / kept));
        CHECK(largest(values) <= 2.0 * deviation * (1.0 + 1e-6));
        CHECK(largest(values) > 1.97 * deviation);
        check_moments(values, variance);
        CHECK(chi_square(values, [&](double v) {
                  return (normal_cdf(v / deviation) - normal_cdf(-2.0)) / kept;
              }) < kQuantile999);
    }
}

TEST_CASE("random initializers have the figures they are given", "[trainer][initializer]") {
    InitializerConfig uniform(Initializer::random_uniform);
    uniform.minval = 0.25;
    uniform.maxval = 1.75;
    const auto even = kernel(uniform);
    CHECK(*std::ranges::min_element(even) >= 0.25F);
    CHECK(*std::ranges::max_element(even) <= 1.75F);
    CHECK(chi_square(even, [](double v) { return (v - 0.25) / 1.5; }) < kQuantile999);

    InitializerConfig normal(Initializer::random_normal);
    normal.mean = 3.0;
    normal.stddev = 0.5;
    const auto whole = kernel(normal);
    CHECK(chi_square(whole, [](double v) { return normal_cdf((v - 3.0) / 0.5); }) < kQuantile999);
    CHECK(*std::ranges::max_element(whole) > 3.0F + 3.0F * 0.5F);  // not truncated

    // Truncated without a correction: the deviation is that of the normal before it.
    normal.kind = Initializer::truncated_normal;
    const auto cut = kernel(normal);
    CHECK(*std::ranges::min_element(cut) >= 2.0F);
    CHECK(*std::ranges::max_element(cut) <= 4.0F);
    const double kept = 1.0 - 2.0 * normal_cdf(-2.0);
    CHECK(chi_square(cut, [&](double v) {
              return (normal_cdf((v - 3.0) / 0.5) - normal_cdf(-2.0)) / kept;
          }) < kQuantile999);
}

TEST_CASE("an orthogonal kernel: its shorter side's vectors are orthonormal, times the gain",
          "[trainer][initializer]") {
    InitializerConfig initializer(Initializer::orthogonal);
    for (const double gain : {1.0, 1.5})
        for (const std::vector<std::int64_t>& shape :
             {std::vector<std::int64_t>{3, 3, 16, 32}, {3, 3, 2, 32}, {40, 40}, {7, 1}, {1, 7}}) {
            CAPTURE(gain, shape);
            initializer.gain = gain;
            const auto values = initial_values(initializer, shape, 5, 1, 0);
            const auto columns = static_cast<std::size_t>(shape.back());
            const std::size_t rows = values.size() / columns;
            const std::size_t vectors = std::min(rows, columns), length = std::max(rows, columns);
            const auto at = [&](std::size_t vector, std::size_t i) {
                return static_cast<double>(rows < columns ? values[vector * columns + i]
                                                          : values[i * columns + vector]);
            };
            double worst = 0.0;
            for (std::size_t a = 0; a < vectors; ++a)
                for (std::size_t b = 0; b < vectors; ++b) {
                    double product = 0.0;
                    for (std::size_t i = 0; i < length; ++i) product += at(a, i) * at(b, i);
                    worst = worse_of(worst, std::abs(product - (a == b ? gain * gain : 0.0)));
                }
            CHECK(worst < 1e-6);  // of rounding to float32
        }
}

// R's diagonal is positive: each vector has a positive product with the normal column that it was
// made of, for the first one the two point the same way.
TEST_CASE("an orthogonal kernel has the signs of its draws", "[trainer][initializer]") {
    const std::vector<std::int64_t> shape{30, 20};
    const InitializerConfig unit = [] {
        InitializerConfig normal(Initializer::random_normal);
        normal.stddev = 1.0;
        return normal;
    }();
    const auto drawn = initial_values(unit, shape, 5, 1, 0);
    const auto values = initial_values(Initializer::orthogonal, shape, 5, 1, 0);
    for (std::size_t c = 0; c < 20; ++c) {
        double product = 0.0, squares = 0.0;
        for (std::size_t r = 0; r < 30; ++r) {
            const auto draw = static_cast<double>(drawn[r * 20 + c]);
            product += draw * static_cast<double>(values[r * 20 + c]);
            squares += draw * draw;
        }
        CHECK(product > 0.0);
        if (c == 0) CHECK(product == Approx(std::sqrt(squares)).epsilon(1e-6));
    }
}

TEST_CASE("identity, ones and constants", "[trainer][initializer]") {
    InitializerConfig identity(Initializer::identity);
    identity.gain = 2.0;
    const std::vector<std::int64_t> wide{2, 3}, tall{3, 2}, vector{4};
    CHECK(initial_values(identity, wide, 1, 0, 0) == std::vector<float>{2, 0, 0, 0, 2, 0});
    CHECK(initial_values(identity, tall, 1, 0, 0) == std::vector<float>{2, 0, 0, 2, 0, 0});
    InitializerConfig constant(Initializer::constant);
    constant.value = -0.25;
    CHECK(initial_values(constant, vector, 1, 0, 0) == std::vector<float>(4, -0.25F));
    CHECK(initial_values(Initializer::ones, vector, 1, 0, 0) == std::vector<float>(4, 1.0F));
    CHECK(initial_values(Initializer::zeros, vector, 1, 0, 0) == std::vector<float>(4, 0.0F));
}

// Drawn before there was more than one kind of tensor to draw; runs of then are to be repeated.
TEST_CASE("the bits of weights that were always drawn", "[trainer][initializer]") {
    const std::vector<std::int64_t> shape{2, 3};
    const auto text = [&](Initializer kind) {
        std::string bits;
        for (const float value : initial_values(kind, shape, 7, 2, 0)) {
            char hex[24];
            std::snprintf(hex, sizeof hex, "%a ", static_cast<double>(value));
            bits += hex;
        }
        return bits;
    };
    CHECK(text(Initializer::glorot_uniform) ==
          "0x1.5b0046p-1 -0x1.e0f93ap-1 0x1.1e53fcp-2 0x1.31e0f2p-1 0x1.9e64f8p-1 0x1.4eb316p-1 ");
    CHECK(text(Initializer::he_uniform) ==
          "0x1.125414p+0 -0x1.7c3e32p+0 0x1.c4b974p-2 0x1.e3a2fep-1 0x1.479b88p+0 0x1.089a6ep+0 ");
    CHECK(text(Initializer::glorot_normal) ==
          "-0x1.027a94p-1 -0x1.0e226p-1 -0x1.af122ap-2 0x1.d49a86p-2 0x1.3d87b6p+0 0x1.61f0cep+0 ");
    CHECK(text(Initializer::he_normal) ==
          "-0x1.98b0ep-1 -0x1.ab1eacp-1 -0x1.54caa2p-1 0x1.7276b4p-1 0x1.f60f28p+0 0x1.17d08ep+1 ");
}

TEST_CASE("biases, gammas and betas have initializers of their own", "[trainer][initializer]") {
    const Shape image{4, 4, 3, false};
    InitializerConfig constant(Initializer::constant);
    constant.value = 0.5;
    const std::vector<LayerConfig> layers{
        {"conv2d", Conv2dConfig{.filters = 5, .bias_initializer = constant}},
        {"batch_normalization", BatchNormalizationConfig{.beta_initializer = constant,
                                                         .gamma_initializer = Initializer::zeros}},
        {"flatten", FlattenConfig{}},
        {"dense", DenseConfig{.units = 6, .bias_initializer = Initializer::random_normal}}};
    for (const NamedTensor& tensor : initial_weights(infer_shapes(layers, image, 6), 1)) {
        CAPTURE(tensor.layer, tensor.name);
        const auto all = [&](float value) {
            return tensor.values == std::vector<float>(tensor.values.size(), value);
        };
        if (tensor.name == "beta") CHECK(all(0.5F));
        if (tensor.name == "gamma" || tensor.name == "moving_mean") CHECK(all(0.0F));
        if (tensor.name == "moving_variance") CHECK(all(1.0F));
        if (tensor.name == "bias" && tensor.layer == "conv2d") CHECK(all(0.5F));
        if (tensor.name == "bias" && tensor.layer == "dense")
            CHECK(std::count(tensor.values.begin(), tensor.values.end(), 0.0F) == 0);
    }
}

TEST_CASE("a dirac kernel hands channels on, and draws the filters that are left",
          "[trainer][initializer]") {
    for (const auto& [height, width, in, out] :
         {std::array{3, 3, 16, 32}, std::array{1, 5, 7, 3}, std::array{2, 4, 4, 4}}) {
        const std::vector<std::int64_t> shape{height, width, in, out};
        const auto values = initial_values(Initializer::dirac, shape, 1, 2, 0);
        const double limit = 1.0 / std::sqrt(height * width * in);
        std::vector<float> drawn;
        std::size_t i = 0;
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x)
                for (int channel = 0; channel < in; ++channel)
                    for (int filter = 0; filter < out; ++filter) {
                        const float value = values[i++];
                        // As "same" pads: the larger half of the zeros behind.
                        const bool is_one =
                            channel == filter && y == (height - 1) / 2 && x == (width - 1) / 2;
                        if (filter < in)
                            CHECK(value == (is_one ? 1.0F : 0.0F));
                        else
                            drawn.push_back(value);
                    }
        CHECK(largest(drawn) <= limit);
        if (drawn.empty()) continue;
        check_moments(drawn, limit * limit / 3.0);
        CHECK(chi_square(drawn, [limit](double x) { return (x / limit + 1.0) / 2.0; }) <
              kQuantile999);
        CHECK(initial_values(Initializer::dirac, shape, 2, 2, 0) != values);
    }
}

TEST_CASE("dense kernels take their fans from rows and columns", "[trainer][initializer]") {
    const std::vector<std::int64_t> shape{50, 100};
    const auto values = initial_values(Initializer::glorot_uniform, shape, 1, 0, 0);
    CHECK(largest(values) <= std::sqrt(6.0 / 150.0) * (1.0 + 1e-7));
    CHECK(largest(values) > 0.99 * std::sqrt(6.0 / 150.0));
}

TEST_CASE("a weight is a function of seed, layer, tensor and element", "[trainer][initializer]") {
    for (const Initializer initializer : {Initializer::glorot_uniform, Initializer::he_normal}) {
        const auto values = kernel(initializer);
        CHECK(kernel(initializer) == values);
        CHECK(kernel(initializer, 2) != values);
        CHECK(kernel(initializer, 1 + (1ULL << 32)) != values);
        CHECK(initial_values(initializer, kShape, 1, 3, 0) != values);
        CHECK(initial_values(initializer, kShape, 1, 2, 1) != values);
    }
    // The shape counts by its fans alone.
    const std::vector<std::int64_t> wide{7, 11}, tall{11, 7};
    CHECK(initial_values(Initializer::glorot_uniform, wide, 1, 0, 0) ==
          initial_values(Initializer::glorot_uniform, tall, 1, 0, 0));
}

TEST_CASE("a network starts with drawn kernels, ones for gamma and variance, zeros elsewhere",
          "[trainer][initializer]") {
    auto layers = every_kind_of_layer();
    std::get<DenseConfig>(layers[10].kind).kernel_initializer = Initializer::zeros;
    const Architecture architecture = infer_shapes(layers, {8, 8, 3, false}, 4);
    for (const NamedTensor& tensor : initial_weights(architecture, 1)) {
        CAPTURE(tensor.layer, tensor.name);
        const bool is_one = tensor.name == "gamma" || tensor.name == "moving_variance";
        if (tensor.name == "kernel" && tensor.layer != "dense")
            CHECK(std::count(tensor.values.begin(), tensor.values.end(), 0.0F) == 0);
        else
            CHECK(tensor.values == std::vector<float>(tensor.values.size(), is_one ? 1.0F : 0.0F));
    }
}
