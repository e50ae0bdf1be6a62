#include "reports/figures/statistics.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// P(X <= k) for X ~ Binomial(n, 1/2), by Pascal's triangle.
double binomial_tail(int k, int n) {
    std::vector<double> row{1.0};
    for (int i = 0; i < n; ++i) {
        std::vector<double> next(row.size() + 1, 0.0);
        for (std::size_t j = 0; j < row.size(); ++j) {
            next[j] += row[j] / 2.0;
            next[j + 1] += row[j] / 2.0;
        }
        row = next;
    }
    double sum = 0.0;
    for (int i = 0; i <= k; ++i) sum += row[static_cast<std::size_t>(i)];
    return sum;
}

TEST_CASE("The incomplete beta function has its closed forms and its symmetry") {
    for (const double x : {0.0, 1e-6, 0.1, 0.5, 0.73, 0.999, 1.0}) {
        CAPTURE(x);
        CHECK(incomplete_beta(x, 1.0, 1.0) == Approx(x).margin(1e-15));
        CHECK(incomplete_beta(x, 3.5, 1.0) == Approx(std::pow(x, 3.5)).margin(1e-15));
        CHECK(incomplete_beta(x, 1.0, 4.0) == Approx(1.0 - std::pow(1.0 - x, 4.0)).margin(1e-14));
        CHECK(incomplete_beta(x, 2.0, 7.0) ==
              Approx(1.0 - incomplete_beta(1.0 - x, 7.0, 2.0)).margin(1e-14));
    }
}

TEST_CASE("t quantiles are those of the tables") {
    struct Row {
        double degrees, t975, t995;
    };
    // NIST/SEMATECH e-Handbook of Statistical Methods, table 1.3.6.7.2.
    for (const Row& row : {Row{1, 12.706, 63.657},
                           {2, 4.303, 9.925},
                           {3, 3.182, 5.841},
                           {4, 2.776, 4.604},
                           {9, 2.262, 3.250},
                           {30, 2.042, 2.750},
                           {100, 1.984, 2.626}}) {
        CAPTURE(row.degrees);
        CHECK(student_t_quantile(0.975, row.degrees) == Approx(row.t975).margin(5e-4));
        CHECK(student_t_quantile(0.995, row.degrees) == Approx(row.t995).margin(5e-4));
        CHECK(student_t_quantile(0.025, row.degrees) == -student_t_quantile(0.975, row.degrees));
    }
}

TEST_CASE("With one and two degrees of freedom t has a closed form") {
    for (const double p : {0.6, 0.9, 0.975, 0.9999}) {
        CHECK(student_t_quantile(p, 1) == Approx(std::tan(std::numbers::pi * (p - 0.5))));
        CHECK(student_t_quantile(p, 2) == Approx((2 * p - 1) * std::sqrt(2.0 / (4 * p * (1 - p)))));
    }
    CHECK(student_t_quantile(0.5, 7) == Approx(0.0).margin(1e-12));
    CHECK_THROWS_AS(student_t_quantile(1.0, 7), std::invalid_argument);
    CHECK_THROWS_AS(student_t_quantile(kNaN, 7), std::invalid_argument);
    CHECK_THROWS_AS(student_t_quantile(0.9, 0), std::invalid_argument);
}

TEST_CASE("Student's own data give Welch's t as the textbooks have it") {
    // Student 1908, additional hours of sleep of ten patients; figures as R's
    // t.test(extra ~ group, data = sleep) prints them, Welch's being its default.
    const std::vector<double> dextro{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
    const std::vector<double> laevo{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
    const auto welch = welch_test(estimate_of(dextro), estimate_of(laevo));
    REQUIRE(welch.has_value());
    CHECK(welch->difference == Approx(-1.58));
    CHECK(welch->degrees == Approx(17.776).margin(5e-4));
    CHECK(welch->p_value == Approx(0.07939).margin(5e-6));
    CHECK(welch->interval.low == Approx(-3.3654832).margin(5e-8));
    CHECK(welch->interval.high == Approx(0.2054832).margin(5e-8));
}

TEST_CASE("Welch's t of equal counts and scatter is Student's, and has his degrees") {
    // t = 0.1 / (s sqrt(2 / 3)) with s = 0.02, 4 degrees: P(|T| > t) in closed form.
    const auto welch = welch_test(estimate_of(std::vector{0.58, 0.60, 0.62}),
                                  estimate_of(std::vector{0.48, 0.50, 0.52}));
    REQUIRE(welch.has_value());
    CHECK(welch->degrees == Approx(4.0));
    const double t = 0.1 / (0.02 * std::sqrt(2.0 / 3.0));
    const double x = t / std::sqrt(t * t + 4.0);
    CHECK(welch->p_value == Approx(1.0 - 1.5 * x + 0.5 * x * x * x).epsilon(1e-9));
}

TEST_CASE("Welch's t needs two values on either side, and some scatter") {
    const Estimate two = estimate_of(std::vector{0.5, 0.6});
    const Estimate equal = estimate_of(std::vector{0.7, 0.7, 0.7});
    CHECK_FALSE(welch_test(two, estimate_of(std::vector{0.9})).has_value());
    CHECK_FALSE(welch_test(estimate_of({}), two).has_value());
    CHECK_FALSE(welch_test(equal, estimate_of(std::vector{0.1, 0.1})).has_value());
    // Of one side alone: its degrees, here one. Closed form: p = 1 - 2 atan(t) / pi.
    const auto one_sided = welch_test(two, equal);
    REQUIRE(one_sided.has_value());
    CHECK(one_sided->degrees == Approx(1.0));
    CHECK(one_sided->p_value ==
          Approx(1.0 - 2.0 * std::atan(0.15 / 0.05) / std::numbers::pi).epsilon(1e-9));
    CHECK(welch_test(equal, two)->p_value == one_sided->p_value);
}

// What the leaderboard shows does not contradict the test: own intervals apart are a difference.
TEST_CASE("Where the t intervals of two means lie apart Welch's p is below 0.05") {
    for (const double shift : {0.02, 0.05, 0.1, 0.3, 1.0}) {
        for (const double scatter : {0.001, 0.02, 0.2}) {
            const Estimate a = estimate_of(std::vector{0.0, 0.01, 0.03});
            const Estimate b = estimate_of(
                std::vector{shift, shift + scatter, shift - scatter, shift + scatter / 2});
            if (a.interval->high >= b.interval->low && b.interval->high >= a.interval->low)
                continue;
            CAPTURE(shift, scatter);
            CHECK(welch_test(a, b)->p_value < 0.05);
        }
    }
}

TEST_CASE("A mean of none, one, two and equal values") {
    CHECK(estimate_of({}).count == 0);
    CHECK_FALSE(estimate_of({}).interval.has_value());

    const Estimate one = estimate_of(std::vector{0.7});
    CHECK(one.mean == 0.7);
    CHECK_FALSE(one.deviation.has_value());
    CHECK_FALSE(one.interval.has_value());

    // s = |a - b| / sqrt(2), so the half width is 12.706 |a - b| / 2.
    const Estimate two = estimate_of(std::vector{0.6, 0.8});
    CHECK(*two.deviation == Approx(0.2 / std::numbers::sqrt2));
    CHECK(two.interval->high - two.mean == Approx(12.7062 * 0.1).epsilon(1e-5));

    const Estimate equal = estimate_of(std::vector{0.1, 0.1, 0.1});
    CHECK(equal.deviation == 0.0);
    // No variance, no t interval: that three seeds agree does not say that all would.
    CHECK_FALSE(equal.interval.has_value());
}

TEST_CASE("A figure that is no number is not counted") {
    const Estimate estimate =
        estimate_of(std::vector{0.5, kNaN, std::numeric_limits<double>::infinity(), 0.7});
    CHECK(estimate.count == 2);
    CHECK(estimate.mean == Approx(0.6));
}

TEST_CASE("Wilson's interval is that of Newcombe's worked examples") {
    struct Example {
        std::int64_t right, all;
        double low, high;
    };
    // R. G. Newcombe: Two-sided confidence intervals for the single proportion. Statistics in
    // Medicine 17:857-872, 1998, table I, method 3.
    for (const Example& e : {Example{81, 263, 0.2553, 0.3662},
                             {15, 148, 0.0624, 0.1605},
                             {0, 20, 0.0, 0.1611},
                             {1, 29, 0.0061, 0.1718}}) {
        CAPTURE(e.right, e.all);
        const auto interval = wilson_interval(e.right, e.all);
        REQUIRE(interval.has_value());
        CHECK(interval->low == Approx(e.low).margin(5e-5));
        CHECK(interval->high == Approx(e.high).margin(5e-5));
    }
}

TEST_CASE("Wilson's interval stays inside [0, 1], and needs trials") {
    CHECK_FALSE(wilson_interval(0, 0).has_value());
    const double z2 = 1.959963984540054 * 1.959963984540054;
    CHECK(wilson_interval(1, 1)->high == 1.0);
    CHECK(wilson_interval(1, 1)->low == Approx(1.0 / (1.0 + z2)));
    CHECK(wilson_interval(0, 10'000)->low == 0.0);
    CHECK(wilson_interval(0, 10'000)->high == Approx(z2 / (10'000 + z2)));
    CHECK_THROWS_AS(wilson_interval(2, 1), std::invalid_argument);
    CHECK_THROWS_AS(wilson_interval(-1, 1), std::invalid_argument);
}

TEST_CASE("McNemar's exact p is twice the binomial tail") {
    CHECK(mcnemar_exact(0, 5).p_value == Approx(2.0 / 32.0));
    CHECK(mcnemar_exact(9, 1).p_value == Approx(22.0 / 1024.0));
    CHECK(mcnemar_exact(1, 9).p_value == mcnemar_exact(9, 1).p_value);
    for (const int b : {0, 3, 17, 40}) {
        for (const int c : {1, 18, 59, 121}) {
            CAPTURE(b, c);
            const double expected = std::min(1.0, 2.0 * binomial_tail(std::min(b, c), b + c));
            CHECK(mcnemar_exact(b, c).p_value == Approx(expected));
        }
    }
}

TEST_CASE("Without disagreement, and with an equal one, McNemar finds nothing") {
    CHECK(mcnemar_exact(0, 0).p_value == 1.0);
    CHECK(mcnemar_exact(0, 1).p_value == 1.0);
    CHECK(mcnemar_exact(500, 500).p_value == 1.0);
    CHECK(mcnemar_exact(0, 10'000).p_value < 1e-300);
    CHECK_THROWS_AS(mcnemar_exact(-1, 3), std::invalid_argument);
}

TEST_CASE("Figures apart by a rounding are the same, by more they are not") {
    const double eps = std::numeric_limits<double>::epsilon();
    CHECK(is_same_figure(0.0, 0.0));
    CHECK(is_same_figure(1.0, 1.0 + 4.0 * eps));
    CHECK_FALSE(is_same_figure(1.0, 1.0 + 5.0 * eps));
    CHECK_FALSE(is_same_figure(0.0, 1e-300));
    CHECK_FALSE(is_same_figure(0.5, kNaN));
    CHECK(estimate_of(std::vector{1.0, 1.0 + 4.0 * eps}).deviation == 0.0);
    CHECK(*estimate_of(std::vector{1.0, 1.0 + 5.0 * eps}).deviation > 0.0);
    CHECK(Interval{0.1 + 0.2, 0.4}.contains(0.3));  // 0.30000000000000004
    CHECK_FALSE(Interval{0.1 + 0.2, 0.4}.contains(0.3 - 1e-12));
}

TEST_CASE("A fraction is a count of images, or none") {
    CHECK(proportion_of(0.6613, 10'000) == Proportion{6613, 10'000});
    CHECK(proportion_of(1.0 / 3.0, 3) == Proportion{1, 3});
    CHECK(proportion_of(0.0, 1) == Proportion{0, 1});
    CHECK(proportion_of(1.0, 1) == Proportion{1, 1});
    CHECK_FALSE(proportion_of(0.8123, 100).has_value());
    CHECK_FALSE(proportion_of(0.5, 0).has_value());
    CHECK_FALSE(proportion_of(1.5, 2).has_value());
    CHECK_FALSE(proportion_of(kNaN, 10).has_value());
}

TEST_CASE("Holm's correction is that of the worked example, in the order given") {
    // https://en.wikipedia.org/wiki/Holm-Bonferroni_method: 0.01, 0.04, 0.03, 0.005.
    const std::vector<double> adjusted = holm_adjusted(std::vector{0.01, 0.04, 0.03, 0.005});
    REQUIRE(adjusted.size() == 4);
    CHECK(adjusted[0] == Approx(0.03));
    CHECK(adjusted[1] == Approx(0.06));
    CHECK(adjusted[2] == Approx(0.06));
    CHECK(adjusted[3] == Approx(0.02));
}

TEST_CASE("Holm's correction of none, one, equal and large p-values") {
    CHECK(holm_adjusted({}).empty());
    CHECK(holm_adjusted(std::vector{0.03}) == std::vector{0.03});
    CHECK(holm_adjusted(std::vector{0.5, 0.9}) == std::vector{1.0, 1.0});
    CHECK(holm_adjusted(std::vector{0.01, 0.01}) == std::vector{0.02, 0.02});
}

}  // namespace
}  // namespace lockstep::reports
