#pragma once

// Which setting of a sweep mattered: analysis of variance over runs whose settings take a few
// values each. Pure functions; nothing here prints or rounds.
//
// [1] F. Yates: The analysis of multiple classifications with unequal numbers in the different
//     classes. J. Am. Stat. Assoc. 29(185):51-66, 1934. doi:10.1080/01621459.1934.10502686
// [2] R. A. Fisher: Statistical methods for research workers. Oliver and Boyd, 1925. Chapters 7, 8.
// [3] F. Hutter, H. Hoos, K. Leyton-Brown: An efficient approach for assessing hyperparameter
//     importance. ICML, PMLR 32(1):754-762, 2014. https://proceedings.mlr.press/v32/hutter14.html
// [4] H. Scheffe: The analysis of variance. Wiley, 1959. Chapter 4.
// [5] H. A. David, H. N. Nagaraja: Order statistics, 3rd edition. Wiley, 2003. Section 3.1.
// [6] W. G. Cochran: The distribution of the largest of a set of estimated variances as a fraction
//     of their total. Annals of Eugenics 11(1):47-52, 1941. doi:10.1111/j.1469-1809.1941.tb02271.x
// [7] S. Holm: A simple sequentially rejective multiple test procedure. Scand. J. Statist.
//     6(2):65-70, 1979. https://www.jstor.org/stable/4615733

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace lockstep::reports {

// P(F > f) of Fisher's distribution with d1 and d2 > 0 degrees of freedom, f >= 0:
// I_x(d2 / 2, d1 / 2) with x = d2 / (d2 + d1 f).
double f_tail_probability(double f, double d1, double d2);

// E[max] of `count` >= 1 independent standard normal values [5]; 0 of one, 1 / sqrt(pi) of two.
// By Simpson's rule over x d/dx Phi(x)^count; about 10 digits.
double expected_maximum(std::size_t count);

// The scatter of the runs of one group around their mean.
struct Scatter {
    double squares = 0.0;  // sum around the mean
    int degrees = 0;       // runs - 1
};

// Whether one group scatters more than the others: Cochran's test [6] of the largest variance, here
// as F of that variance against the pooled one of all others, times the number of groups (at most
// 1); in groups of one size that is his C. None with fewer than two groups that have degrees, or
// where nothing scatters.
std::optional<double> unequal_scatter(std::span<const Scatter> groups);

// A setting with a few values: which of them each run has.
struct Factor {
    std::size_t levels = 0;
    std::vector<std::size_t> level_of{};  // [runs], each < levels; every level occurs
};

// A part of the total sum of squares.
struct Effect {
    int degrees = 0;  // of freedom; 0: there is no such part
    double squares = 0.0;
    std::optional<double> share{};  // squares / total: eta squared; none where nothing varies
    std::optional<double> f{};      // (squares / degrees) / seed variance; none without that
    std::optional<double> p_value{};
    std::optional<double> adjusted_p_value{};  // Holm's [7], over the family it is tested in
    // Fewer than half of its differences can be told from those of other factors: no figures.
    bool is_confounded = false;
    // Half of them or more, not all: figures are of those alone, so the share is a lower bound.
    bool is_partial = false;
};

struct Effects {
    std::size_t runs = 0;
    std::size_t combinations = 0;  // of levels that occur
    bool is_complete = false;      // every combination of levels, each equally often
    double total = 0.0;            // sum of squares around the mean
    std::vector<Effect> factors;   // in the order given
    // What main effects explain, but none of them alone: of factors that changed together. Its
    // share only; none in a complete grid.
    Effect together;
    Effect interactions;                      // between combinations, beyond main effects
    Effect seeds;                             // within combinations: repetitions; share alone
    std::optional<double> seed_deviation{};   // of one run around the mean of its combination
    double largest_deviation = 0.0;           // of one combination with two runs or more
    std::optional<double> unequal_p_value{};  // unequal_scatter() of the combinations
};

// The analysis of variance of `values` [runs], all finite.
//
// A factor's sum of squares is what it adds to the main effects of all others: Yates' method of
// fitting constants [1], type II. In a complete grid with equally many repetitions that is the
// classic sum [2] n (mean of level - mean)^2, and the shares add up to 1. The F test sets its mean
// square against that within combinations (fixed effects, [4]), which needs a combination with two
// runs whose values differ; it supposes that seeds scatter alike everywhere. Holm's
// correction is over the factors and the interactions as a whole. This is the part of a
// functional analysis of variance [3] that needs no model of what was not tried.
// Throws std::invalid_argument unless there are values, and a level for each of them.
Effects main_effects(std::span<const Factor> factors, std::span<const double> values);

// The interaction of two factors, which are told by their places.
struct PairEffect : Effect {
    PairEffect(std::size_t first_factor, std::size_t second_factor)
        : first(first_factor), second(second_factor) {}
    std::size_t first;
    std::size_t second;
};
inline constexpr std::size_t kMostPairColumns = 150;

// Which pairs of factors interact: of each the sum of squares that it adds to all main effects and
// all other pairs (type II [1]; the classic sum [2] in a complete grid with equally many
// repetitions), with the F test of main_effects() and Holm's correction over these pairs. Those
// that add most come first; pairs that cannot be tested are left out. Empty without noise to test
// against, and where more than kMostPairColumns differences would take too long to fit.
std::vector<PairEffect> pair_effects(std::span<const Factor> factors,
                                     std::span<const double> values, const Effects& effects);

// Means of the runs by the levels of one factor or of two.
struct LevelMean {
    std::size_t runs = 0;
    double mean = 0.0;  // 0 of none
    double low = 0.0;   // the least and the greatest value
    double high = 0.0;
};
std::vector<LevelMean> level_means(const Factor& factor, std::span<const double> values);
// [first.levels * second.levels], the second factor's levels beside each other.
std::vector<LevelMean> pair_means(const Factor& first, const Factor& second,
                                  std::span<const double> values);

// Share of the total sum of squares that lies between the groups; 0 where nothing varies.
double share_between(std::span<const LevelMean> groups, std::span<const double> values);

}  // namespace lockstep::reports
