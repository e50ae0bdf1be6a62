#pragma once

// What may honestly be said of accuracies that were measured a few times. Pure functions.
//
// Nothing here prints or rounds; a figure that is not defined (an interval of one value, a test
// without disagreement) is absent, never 0.
//
// [1] NIST Digital Library of Mathematical Functions, sections 8.17 (incomplete beta) and 5.12.
// [2] Student: The probable error of a mean. Biometrika 6(1):1-25, 1908. doi:10.1093/biomet/6.1.1
// [3] E. B. Wilson: Probable inference, the law of succession, and statistical inference. J. Am.
//     Stat. Assoc. 22(158):209-212, 1927. doi:10.1080/01621459.1927.10502953
// [4] Q. McNemar: Note on the sampling error of the difference between correlated proportions or
//     percentages. Psychometrika 12:153-157, 1947. doi:10.1007/BF02295996
// [5] T. G. Dietterich: Approximate statistical tests for comparing supervised classification
//     learning algorithms. Neural Computation 10(7):1895-1923, 1998.
//     doi:10.1162/089976698300017197
// [6] S. Holm: A simple sequentially rejective multiple test procedure. Scand. J. Statist.
//     6(2):65-70, 1979. https://www.jstor.org/stable/4615733
// [7] B. L. Welch: The generalization of "Student's" problem when several different population
//     variances are involved. Biometrika 34(1-2):28-35, 1947. doi:10.1093/biomet/34.1-2.28

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace lockstep::reports {

inline constexpr double kConfidence = 0.95;    // of every interval
inline constexpr double kSignificance = 0.05;  // of every test, after correction

// Equal but for rounding: apart by no more than four units in the last place of the larger one.
// Figures that were computed in two ways are equal in this sense or not at all.
bool is_same_figure(double a, double b);

struct Interval {
    double low = 0.0;
    double high = 0.0;

    // Its ends included, as far as is_same_figure() can tell.
    bool contains(double value) const;
    bool operator==(const Interval&) const = default;
};

// The regularized incomplete beta function I_x(a, b), a and b > 0, x in [0, 1]; about 14 digits.
// By the continued fraction of [1] 8.17.22, evaluated from the front (Lentz).
double incomplete_beta(double x, double a, double b);

// P(T <= t) of Student's t distribution with `degrees` > 0 of freedom, which need not be whole:
// with x = degrees / (degrees + t^2) the upper tail is I_x(degrees / 2, 1/2) / 2 [1].
double student_t_probability(double t, double degrees);

// The t with P(T <= t) = probability, which lies in (0, 1). 12.706 for 0.975 and 1 degree.
// Throws std::invalid_argument outside of that.
double student_t_quantile(double probability, double degrees);

// Several measurements of one thing: accuracies of one architecture over seeds.
struct Estimate {
    int count = 0;
    double mean = 0.0;                   // 0 of none
    std::optional<double> deviation{};   // of the sample (over n - 1); from two values on
    std::optional<Interval> interval{};  // mean -+ t(0.975, n - 1) s / sqrt(n) [2]; none if s = 0
};
// NaN and infinite values are measurements that failed: they are left out and not counted.
// Values that are all the same figure have a deviation of exactly 0, and no interval: a variance
// of 0 over a few seeds says that they agree, not that all others would.
Estimate estimate_of(std::span<const double> values);

// An accuracy as what it is: a count of images.
struct Proportion {
    std::int64_t successes = 0;
    std::int64_t trials = 0;

    bool operator==(const Proportion&) const = default;
};
// The count behind a fraction of `trials` images. None where it is no whole number of them (within
// 1e-6: a fraction is off by a rounding), where it is not in [0, 1], or without trials.
std::optional<Proportion> proportion_of(double fraction, std::int64_t trials);

// The score interval of a proportion [3], for one accuracy measured on `trials` images:
// (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n). Always inside [0, 1]. It tells how
// well the test set measures this one network, not how much another seed would change.
// None without trials. Throws std::invalid_argument unless 0 <= successes <= trials.
std::optional<Interval> wilson_interval(std::int64_t successes, std::int64_t trials);

// Two networks on the same images: how many each alone has right.
struct McNemar {
    std::int64_t only_first = 0;   // b
    std::int64_t only_second = 0;  // c
    double p_value = 1.0;
};
// McNemar's test [4], as [5] advises for two networks trained once; exact: under the hypothesis b
// is Binomial(b + c, 1/2), p = min(1, 2 P(X <= min(b, c))). 1 where b + c = 0.
// Throws std::invalid_argument for a negative count.
McNemar mcnemar_exact(std::int64_t only_first, std::int64_t only_second);

// Two means with the scatter that each shows in its own values: architectures over their seeds.
struct WelchTest {
    double difference = 0.0;  // first - second
    double degrees = 0.0;     // of freedom; between the smaller n - 1 and n1 + n2 - 2
    Interval interval{};      // of the difference
    double p_value = 1.0;     // two-sided
};
// Welch's t test [7]: t = difference / sqrt(s1^2 / n1 + s2^2 / n2), degrees by Satterthwaite's
// formula. None unless both have two values or more and one of them scatters.
std::optional<WelchTest> welch_test(const Estimate& first, const Estimate& second);

// Holm's step-down correction [6]: the adjusted p-values in the order given, at most 1. The i-th
// smallest of m becomes max over j <= i of (m - j + 1) p(j).
std::vector<double> holm_adjusted(std::span<const double> p_values);

// The same for tests that have a p_value, some maybe none: sets their adjusted_p_value.
template <class Tested>
void correct_for_many(std::vector<Tested>& tests) {
    std::vector<double> p_values;
    for (const Tested& test : tests) {
        if (test.p_value) p_values.push_back(*test.p_value);
    }
    const std::vector<double> adjusted = holm_adjusted(p_values);
    std::size_t next = 0;
    for (Tested& test : tests) {
        if (test.p_value) test.adjusted_p_value = adjusted[next++];
    }
}

}  // namespace lockstep::reports
