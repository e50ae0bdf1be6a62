// Activations element by element against their definitions in double, on every instruction set.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/plain_activation.hpp"
#include "tests/support/worst_error.hpp"
#include "tests/trainer/every_target.hpp"
#include "trainer/kernels/activations.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

// Where a slope ends.
constexpr std::array kBends{-3.0, 0.0, 3.0, 6.0};

// Both signs of everything from tiny to huge, close together where functions bend.
std::vector<float> inputs() {
    std::vector<float> x;
    for (int i = -3000; i <= 3000; ++i) x.push_back(static_cast<float>(i) * 0.01037F);
    for (int exponent = -30; exponent <= 60; ++exponent)
        for (const float sign : {-1.0F, 1.0F}) x.push_back(sign * std::ldexp(1.2345F, exponent));
    for (const double bend : kBends)
        for (const double beside : {-1e-3, 0.0, 1e-3})
            x.push_back(static_cast<float>(bend + beside));
    return x;
}

float forward_of(Activation activation, float x) {
    float y = 0.0F;
    activation_forward(activation, &x, &y, 1);
    return y;
}

// Central differences of the definition, which are good to nine digits; exact for huge inputs,
// where all of them are straight.
double slope_of(Activation activation, double x) {
    const double step = std::max(1e-5, std::abs(x) * 1e-5);
    return (plain_activation(activation, x + step) - plain_activation(activation, x - step)) /
           (2.0 * step);
}

bool is_at_bend(float x) {
    return std::ranges::any_of(
        kBends, [x](double bend) { return std::abs(static_cast<double>(x) - bend) < 1e-4; });
}

bool same_bits(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

}  // namespace

TEST_CASE("activations are those of their definitions", "[trainer][kernel]") {
    const std::vector<float> x = inputs();
    for (const Activation activation : kElementwiseActivations)
        on_every_target([&] {
            CAPTURE(static_cast<int>(activation));
            std::vector<float> y(x.size());
            activation_forward(activation, x.data(), y.data(), x.size());
            double worst = 0.0;
            for (std::size_t i = 0; i < x.size(); ++i) {
                const auto value = static_cast<double>(x[i]);
                const double error =
                    std::abs(static_cast<double>(y[i]) - plain_activation(activation, value));
                worst = worse_of(worst, error / std::max(1.0, std::abs(value)));
            }
            CHECK(worst <= 2e-7);
            std::vector<float> over = x;
            activation_forward(activation, over.data(), over.data(), x.size());
            CHECK(over == y);
        });
}

TEST_CASE("activations' gradients are the slopes of their definitions", "[trainer][kernel]") {
    const std::vector<float> x = inputs();
    for (const Activation activation : kElementwiseActivations)
        on_every_target([&] {
            CAPTURE(static_cast<int>(activation));
            std::vector<float> y(x.size()), diff(x.size(), -1.5F);
            activation_forward(activation, x.data(), y.data(), x.size());
            const float* kept = has_gradient_of_output(activation) ? y.data() : x.data();
            activation_gradient(activation, kept, diff.data(), diff.data(), x.size());
            double worst = 0.0;
            for (std::size_t i = 0; i < x.size(); ++i) {
                if (is_at_bend(x[i])) continue;
                const double slope = slope_of(activation, static_cast<double>(x[i]));
                worst = worse_of(worst, std::abs(static_cast<double>(diff[i]) + 1.5 * slope));
            }
            CHECK(worst <= 1e-6);
        });
}

TEST_CASE("an activation's bits do not depend on where a value stands", "[trainer][kernel]") {
    const std::vector<float> x = inputs();
    for (const Activation activation : kElementwiseActivations)
        on_every_target([&] {
            for (const std::size_t count : std::vector<std::size_t>{1, 7, 15, 16, 17, 33, 63}) {
                std::vector<float> y(count);
                for (std::size_t first = 0; first + count <= x.size(); first += 97) {
                    activation_forward(activation, x.data() + first, y.data(), count);
                    for (std::size_t i = 0; i < count; ++i)
                        CHECK(same_bits(y[i], forward_of(activation, x[first + i])));
                }
            }
        });
}

TEST_CASE("activations of what is no number, of infinities, of zero", "[trainer][kernel]") {
    const float infinity = std::numeric_limits<float>::infinity();
    on_every_target([&] {
        for (const Activation activation : kElementwiseActivations) {
            CAPTURE(static_cast<int>(activation));
            CHECK(std::isnan(forward_of(activation, std::nanf(""))));
            CHECK((forward_of(activation, 0.0F) == 0.0F) == keeps_zeros(activation));
        }
        CHECK(forward_of(Activation::relu6, infinity) == 6.0F);
        CHECK(forward_of(Activation::tanh, infinity) == 1.0F);
        CHECK(forward_of(Activation::tanh, -infinity) == -1.0F);
        CHECK(forward_of(Activation::sigmoid, infinity) == 1.0F);
        CHECK(forward_of(Activation::sigmoid, -infinity) < 2e-38F);
        CHECK(forward_of(Activation::elu, -infinity) == -1.0F);
        CHECK(forward_of(Activation::elu, infinity) == infinity);
    });
}

TEST_CASE("where two slopes meet, an activation has that of the flat side", "[trainer][kernel]") {
    const auto slope_at = [](Activation activation, float x) {
        const float kept = has_gradient_of_output(activation) ? forward_of(activation, x) : x;
        float diff = 1.0F;
        activation_gradient(activation, &kept, &diff, &diff, 1);
        return diff;
    };
    CHECK(slope_at(Activation::relu6, 0.0F) == 0.0F);
    CHECK(slope_at(Activation::relu6, 6.0F) == 0.0F);
    CHECK(slope_at(Activation::leaky_relu, 0.0F) == 0.2F);
    CHECK(slope_at(Activation::hard_swish, -3.0F) == 0.0F);
    CHECK(slope_at(Activation::hard_swish, 3.0F) == 1.0F);
}
