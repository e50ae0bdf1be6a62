// Initial weights: distributions by bounds, moments and Pearson's test; purity.
#include "trainer/parameters/initializers.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/tiny_training.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

const std::vector<std::int64_t> kShape{3, 3, 16, 32};  // fans 144 and 288
constexpr double kGlorotVariance = 2.0 / (144.0 + 288.0);
constexpr double kHeVariance = 2.0 / 144.0;

std::vector<float> kernel(Initializer initializer, std::uint64_t seed = 1) {
    return initial_kernel(initializer, kShape, seed, 2, 0);
}

double largest(const std::vector<float>& values) {
    double top = 0.0;
    for (const float value : values) top = std::max(top, std::abs(static_cast<double>(value)));
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
          std::pair{Initializer::he_uniform, kHeVariance}}) {
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
          std::pair{Initializer::he_normal, kHeVariance}}) {
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

TEST_CASE("dense kernels take their fans from rows and columns", "[trainer][initializer]") {
    const std::vector<std::int64_t> shape{50, 100};
    const auto values = initial_kernel(Initializer::glorot_uniform, shape, 1, 0, 0);
    CHECK(largest(values) <= std::sqrt(6.0 / 150.0) * (1.0 + 1e-7));
    CHECK(largest(values) > 0.99 * std::sqrt(6.0 / 150.0));
}

TEST_CASE("a weight is a function of seed, layer, tensor and element", "[trainer][initializer]") {
    for (const Initializer initializer : {Initializer::glorot_uniform, Initializer::he_normal}) {
        const auto values = kernel(initializer);
        CHECK(kernel(initializer) == values);
        CHECK(kernel(initializer, 2) != values);
        CHECK(kernel(initializer, 1 + (1ULL << 32)) != values);
        CHECK(initial_kernel(initializer, kShape, 1, 3, 0) != values);
        CHECK(initial_kernel(initializer, kShape, 1, 2, 1) != values);
    }
    // The shape counts by its fans alone.
    const std::vector<std::int64_t> wide{7, 11}, tall{11, 7};
    CHECK(initial_kernel(Initializer::glorot_uniform, wide, 1, 0, 0) ==
          initial_kernel(Initializer::glorot_uniform, tall, 1, 0, 0));
}

TEST_CASE("a network starts with drawn kernels, ones for gamma and variance, zeros elsewhere",
          "[trainer][initializer]") {
    auto layers = every_kind_of_layer();
    std::get<DenseConfig>(layers[10].kind).kernel_initializer = Initializer::zeros;
    const Architecture architecture = infer_shapes(layers, {8, 8, 3, false}, 4);
    for (const NamedTensor& tensor : initial_weights(layers, architecture, 1)) {
        CAPTURE(tensor.layer, tensor.name);
        const bool is_one = tensor.name == "gamma" || tensor.name == "moving_variance";
        if (tensor.name == "kernel" && tensor.layer != "dense")
            CHECK(std::count(tensor.values.begin(), tensor.values.end(), 0.0F) == 0);
        else
            CHECK(tensor.values == std::vector<float>(tensor.values.size(), is_one ? 1.0F : 0.0F));
    }
}
