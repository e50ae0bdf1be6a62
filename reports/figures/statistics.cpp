#include "reports/figures/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace lockstep::reports {
namespace {

// The 0.975 quantile of the standard normal distribution.
constexpr double kNormalQuantile = 1.959963984540054;

// A divisor of the continued fraction, kept off zero as Lentz's method asks.
double off_zero(double value) {
    constexpr double kTiny = 1e-300;
    return std::abs(value) < kTiny ? kTiny : value;
}

// The continued fraction of I_x(a, b); converges fast for x < (a + 1) / (a + b + 2).
double beta_fraction(double x, double a, double b) {
    constexpr int kMostTerms = 10'000;
    double c = 1.0;
    double d = 1.0 / off_zero(1.0 - (a + b) * x / (a + 1.0));
    double fraction = d;
    for (int m = 1; m <= kMostTerms; ++m) {
        const double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / off_zero(1.0 + even * d);
        c = off_zero(1.0 + even / c);
        fraction *= d * c;
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / off_zero(1.0 + odd * d);
        c = off_zero(1.0 + odd / c);
        fraction *= d * c;
        if (std::abs(d * c - 1.0) < std::numeric_limits<double>::epsilon()) break;
    }
    return fraction;
}

// log of x^a (1 - x)^b / B(a, b)
double log_beta_front(double x, double a, double b) {
    return std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) +
           b * std::log1p(-x);
}

// Below is the answer true, above false, or the other way round: where it changes.
template <class IsBelow>
double bisect(double low, double high, IsBelow is_below) {
    for (int i = 0; i < 2000; ++i) {
        const double middle = low + (high - low) / 2.0;
        if (middle <= low || middle >= high) break;
        (is_below(middle) ? low : high) = middle;
    }
    return low + (high - low) / 2.0;
}

std::vector<double> finite_of(std::span<const double> values) {
    std::vector<double> finite;
    std::ranges::copy_if(values, std::back_inserter(finite),
                         [](double value) { return std::isfinite(value); });
    return finite;
}

double largest_of(std::span<const double> values) {
    double largest = 0.0;
    for (const double value : values) largest = std::max(largest, std::abs(value));
    return largest;
}

// What the rounding of figures as large as `largest` can come to.
double dust_of(double largest) { return 4.0 * std::numeric_limits<double>::epsilon() * largest; }

// Of finite values; those that lie no further apart than `dust` are equal.
Estimate estimate_of_finite(std::span<const double> values, double dust) {
    Estimate estimate;
    estimate.count = static_cast<int>(values.size());
    if (values.empty()) return estimate;
    const auto n = static_cast<double>(values.size());
    estimate.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    if (values.size() < 2) return estimate;
    const auto [low, high] = std::ranges::minmax(values);
    if (high - low <= dust) {
        estimate.mean = values.front();  // the mean of equal values may be off by a rounding
        estimate.deviation = 0.0;
        return estimate;
    }
    double squares = 0.0;
    for (const double value : values) squares += (value - estimate.mean) * (value - estimate.mean);
    estimate.deviation = std::sqrt(squares / (n - 1.0));
    const double half =
        student_t_quantile((1.0 + kConfidence) / 2.0, n - 1.0) * *estimate.deviation / std::sqrt(n);
    estimate.interval = Interval{estimate.mean - half, estimate.mean + half};
    return estimate;
}

// Of a mean: s^2 / n.
double variance_of_mean(const Estimate& estimate) {
    return *estimate.deviation * *estimate.deviation / estimate.count;
}

}  // namespace

bool is_same_figure(double a, double b) {
    return a == b || std::abs(a - b) <= dust_of(std::max(std::abs(a), std::abs(b)));
}

bool Interval::contains(double value) const {
    return (low <= value && value <= high) || is_same_figure(value, low) ||
           is_same_figure(value, high);
}

double incomplete_beta(double x, double a, double b) {
    if (x <= 0.0) return 0.0;
    if (x >= 1.0) return 1.0;
    const double front = std::exp(log_beta_front(x, a, b));
    if (x < (a + 1.0) / (a + b + 2.0)) return front * beta_fraction(x, a, b) / a;
    return 1.0 - front * beta_fraction(1.0 - x, b, a) / b;
}

double student_t_probability(double t, double degrees) {
    if (std::isinf(t)) return t < 0.0 ? 0.0 : 1.0;
    const double tail = incomplete_beta(degrees / (degrees + t * t), degrees / 2.0, 0.5) / 2.0;
    return t < 0.0 ? tail : 1.0 - tail;
}

double student_t_quantile(double probability, double degrees) {
    if (!(probability > 0.0 && probability < 1.0) || !(degrees > 0.0)) {
        throw std::invalid_argument("a t quantile needs a probability in (0, 1) and degrees > 0");
    }
    if (probability < 0.5) return -student_t_quantile(1.0 - probability, degrees);
    double high = 1.0;
    while (student_t_probability(high, degrees) < probability && high < 1e150) high *= 2.0;
    return bisect(0.0, high,
                  [&](double t) { return student_t_probability(t, degrees) < probability; });
}

Estimate estimate_of(std::span<const double> values) {
    const std::vector<double> finite = finite_of(values);
    return estimate_of_finite(finite, dust_of(largest_of(finite)));
}

std::optional<Proportion> proportion_of(double fraction, std::int64_t trials) {
    if (trials <= 0 || !(fraction >= 0.0 && fraction <= 1.0)) return std::nullopt;
    const double images = fraction * static_cast<double>(trials);
    const Proportion result{std::llround(images), trials};
    if (std::abs(images - static_cast<double>(result.successes)) > 1e-6) return std::nullopt;
    return result;
}

std::optional<Interval> wilson_interval(std::int64_t successes, std::int64_t trials) {
    if (successes < 0 || successes > trials) {
        throw std::invalid_argument("a proportion needs 0 <= successes <= trials");
    }
    if (trials == 0) return std::nullopt;
    const auto n = static_cast<double>(trials);
    const double p = static_cast<double>(successes) / n;
    const double z = kNormalQuantile;
    const double centre = p + z * z / (2.0 * n);
    const double half = z * std::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
    const double scale = 1.0 + z * z / n;
    // At the ends the formula gives 0 and 1 up to rounding.
    return Interval{successes == 0 ? 0.0 : std::max(0.0, (centre - half) / scale),
                    successes == trials ? 1.0 : std::min(1.0, (centre + half) / scale)};
}

McNemar mcnemar_exact(std::int64_t only_first, std::int64_t only_second) {
    if (only_first < 0 || only_second < 0) {
        throw std::invalid_argument("counts of images are not negative");
    }
    McNemar result{only_first, only_second, 1.0};
    const std::int64_t fewer = std::min(only_first, only_second);
    const std::int64_t all = only_first + only_second;
    if (only_first == only_second) return result;
    // P(X <= k) = I_(1/2)(n - k, k + 1) for X ~ Binomial(n, 1/2): [1] 8.17.5.
    const double tail =
        incomplete_beta(0.5, static_cast<double>(all - fewer), static_cast<double>(fewer) + 1.0);
    result.p_value = std::min(1.0, 2.0 * tail);
    return result;
}

std::optional<WelchTest> welch_test(const Estimate& first, const Estimate& second) {
    if (!first.deviation || !second.deviation) return std::nullopt;
    const double a = variance_of_mean(first);
    const double b = variance_of_mean(second);
    if (!(a + b > 0.0)) return std::nullopt;
    const double scale = std::sqrt(a + b);
    // As shares, so that small variances do not vanish when they are squared.
    const double share_a = a / (a + b);
    const double share_b = b / (a + b);
    const double degrees =
        1.0 / (share_a * share_a / (first.count - 1) + share_b * share_b / (second.count - 1));
    const double difference = first.mean - second.mean;
    const double half = student_t_quantile(0.5 + kConfidence / 2.0, degrees) * scale;
    return WelchTest{difference,
                     degrees,
                     {difference - half, difference + half},
                     2.0 * student_t_probability(-std::abs(difference) / scale, degrees)};
}

std::vector<double> holm_adjusted(std::span<const double> p_values) {
    std::vector<std::size_t> order(p_values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return p_values[i]; });
    std::vector<double> adjusted(p_values.size());
    double largest = 0.0;
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
        const auto left = static_cast<double>(order.size() - rank);
        largest = std::max(largest, std::min(1.0, left * p_values[order[rank]]));
        adjusted[order[rank]] = largest;
    }
    return adjusted;
}

}  // namespace lockstep::reports
