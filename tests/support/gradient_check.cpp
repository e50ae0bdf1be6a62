#include "tests/support/gradient_check.hpp"

#include <algorithm>
#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/support/worst_error.hpp"

namespace lockstep::tests {

namespace {

// Values that cancel to nothing, as the gradient of a bias before a normalization, are judged as
// if they were of this size.
constexpr double kLeastScale = 1e-2;

}  // namespace

double central_difference(Values& x, std::size_t index, const std::function<double()>& f,
                          double step) {
    const double kept = x[index];
    x[index] = kept + step;
    const double above = f();
    x[index] = kept - step;
    const double below = f();
    x[index] = kept;
    return (above - below) / (2.0 * step);
}

std::vector<std::size_t> spread_indices(std::size_t size, std::size_t count) {
    std::vector<std::size_t> indices;
    const std::size_t step = size <= count ? 1 : size / count | 1;  // odd: meets all channels
    for (std::size_t i = 0; i < size; i += step) indices.push_back(i);
    if (size > 0 && indices.back() != size - 1) indices.push_back(size - 1);
    return indices;
}

void check_close(const std::string& name, std::span<const float> values,
                 std::span<const double> expected, double tolerance) {
    CAPTURE(name);
    REQUIRE(values.size() == expected.size());
    double squares = 0.0, worst = 0.0;
    bool is_finite = true;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double value = static_cast<double>(values[i]);
        is_finite = is_finite && std::isfinite(value);
        squares += expected[i] * expected[i];
        worst = worse_of(worst, std::abs(value - expected[i]));
    }
    const double mean_square =
        squares / static_cast<double>(std::max<std::size_t>(1, values.size()));
    const double scale = std::max(std::sqrt(mean_square), kLeastScale);
    CHECK(is_finite);
    CHECK(worst <= tolerance * scale);
}

void check_gradient(const std::string& name, std::span<const float> gradient, Values& x,
                    const std::function<double()>& f, double tolerance) {
    REQUIRE(gradient.size() == x.size());
    std::vector<float> chosen;
    Values differences;
    for (const std::size_t i : spread_indices(x.size(), 40)) {
        chosen.push_back(gradient[i]);
        differences.push_back(central_difference(x, i, f));
    }
    check_close("gradient by " + name, chosen, differences, tolerance);
}

}  // namespace lockstep::tests
