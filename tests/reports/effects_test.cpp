#include "reports/figures/effects.hpp"

#include <cmath>
#include <numbers>
#include <stdexcept>

#include "tests/support/catch.hpp"

using namespace lockstep::reports;

namespace {

// D. C. Montgomery: Design and analysis of experiments, the battery experiment: life in hours of
// three materials at three temperatures, four batteries each, and its printed analysis.
struct Battery {
    Factor material{3, {}};
    Factor temperature{3, {}};
    std::vector<double> life;

    void add(std::size_t m, std::size_t t, const std::vector<double>& hours) {
        for (const double each : hours) {
            material.level_of.push_back(m);
            temperature.level_of.push_back(t);
            life.push_back(each);
        }
    }
    Effects effects() const {
        const std::vector<Factor> factors{material, temperature};
        return main_effects(factors, life);
    }
};

Battery whole() {
    Battery battery;
    battery.add(0, 0, {130, 155, 74, 180});
    battery.add(0, 1, {34, 40, 80, 75});
    battery.add(0, 2, {20, 70, 82, 58});
    battery.add(1, 0, {150, 188, 159, 126});
    battery.add(1, 1, {136, 122, 106, 115});
    battery.add(1, 2, {25, 70, 58, 45});
    battery.add(2, 0, {138, 110, 168, 160});
    battery.add(2, 1, {174, 120, 150, 139});
    battery.add(2, 2, {96, 104, 82, 60});
    return battery;
}

Factor factor(std::size_t levels, std::vector<std::size_t> level_of) {
    return {levels, std::move(level_of)};
}

Effects of(const std::vector<Factor>& factors, const std::vector<double>& values) {
    return main_effects(factors, values);
}

}  // namespace

TEST_CASE("effects: tails of F in closed form", "[reports]") {
    for (const double f : {0.0, 0.3, 1.0, 7.5, 120.0}) {
        for (const double d : {1.0, 2.0, 5.0, 24.0}) {
            CAPTURE(f, d);
            CHECK(f_tail_probability(f, 2.0, d) ==
                  Approx(std::pow(1.0 + 2.0 * f / d, -d / 2.0)).epsilon(1e-12));
        }
        // F with 1 and 1 degrees is the square of Cauchy's.
        CHECK(f_tail_probability(f, 1.0, 1.0) ==
              Approx(1.0 - 2.0 / std::numbers::pi * std::atan(std::sqrt(f))).epsilon(1e-12));
    }
    CHECK(f_tail_probability(INFINITY, 2.0, 3.0) == 0.0);
}

TEST_CASE("effects: the expected maximum of normal values", "[reports]") {
    CHECK(expected_maximum(1) == 0.0);
    CHECK(expected_maximum(2) == Approx(1.0 / std::sqrt(std::numbers::pi)).epsilon(1e-9));
    CHECK(expected_maximum(3) == Approx(1.5 / std::sqrt(std::numbers::pi)).epsilon(1e-9));
    // By a plain sum of 400,000 rectangles.
    CHECK(expected_maximum(5) == Approx(1.162964473640389).epsilon(1e-9));
    CHECK(expected_maximum(10) == Approx(1.5387527308350075).epsilon(1e-9));
    CHECK(expected_maximum(100) == Approx(2.5075936364413955).epsilon(1e-9));
}

TEST_CASE("effects: a complete grid gives the textbook's analysis of variance", "[reports]") {
    const Effects effects = whole().effects();
    CHECK(effects.runs == 36);
    CHECK(effects.combinations == 9);
    CHECK(effects.is_complete);
    CHECK(effects.total == Approx(77646.97).margin(0.005));
    CHECK(effects.factors[0].squares == Approx(10683.72).margin(0.005));
    CHECK(effects.factors[1].squares == Approx(39118.72).margin(0.005));
    CHECK(effects.interactions.squares == Approx(9613.78).margin(0.005));
    CHECK(effects.seeds.squares == Approx(18230.75).margin(0.005));
    CHECK(effects.factors[0].degrees == 2);
    CHECK(effects.interactions.degrees == 4);
    CHECK(effects.seeds.degrees == 27);
    CHECK(*effects.factors[0].f == Approx(7.91).margin(0.005));
    CHECK(*effects.factors[1].f == Approx(28.97).margin(0.005));
    CHECK(*effects.interactions.f == Approx(3.56).margin(0.005));
    CHECK(*effects.factors[0].p_value == Approx(0.0020).margin(5e-5));
    CHECK(*effects.interactions.p_value == Approx(0.0186).margin(5e-5));
    // Holm over both factors and their interaction: the largest of three p-values stays.
    CHECK(*effects.factors[0].adjusted_p_value == Approx(2.0 * *effects.factors[0].p_value));
    CHECK(*effects.factors[1].adjusted_p_value == Approx(3.0 * *effects.factors[1].p_value));
    CHECK(*effects.interactions.adjusted_p_value == Approx(*effects.interactions.p_value));
    CHECK_FALSE(effects.together.share);
    CHECK(*effects.seed_deviation == Approx(std::sqrt(18230.75 / 27.0)));
    CHECK(*effects.factors[0].share + *effects.factors[1].share + *effects.interactions.share +
              *effects.seeds.share ==
          Approx(1.0).epsilon(1e-12));
}

// By exact fractions: the normal equations with and without the factor.
TEST_CASE("effects: an unbalanced design gives Yates' fitted constants", "[reports]") {
    Battery battery;
    battery.add(0, 0, {130, 155, 74});
    battery.add(0, 1, {34, 40, 80, 75});
    battery.add(0, 2, {20});
    battery.add(1, 0, {150, 188});
    battery.add(1, 1, {136, 122, 106, 115});
    battery.add(2, 0, {138, 110, 168, 160});
    battery.add(2, 1, {174});
    battery.add(2, 2, {96, 104, 82, 60});
    const Effects effects = battery.effects();
    CHECK_FALSE(effects.is_complete);
    CHECK(effects.factors[0].squares == Approx(15704.062039851402).epsilon(1e-10));
    CHECK(effects.factors[1].squares == Approx(18455.473150962513).epsilon(1e-10));
    CHECK(effects.interactions.squares == Approx(5006.193515704154).epsilon(1e-9));
    CHECK(effects.interactions.degrees == 3);
    CHECK(effects.seeds.squares == Approx(9453.166666666666).epsilon(1e-12));
    CHECK(effects.seeds.degrees == 15);
    CHECK(effects.total == Approx(47419.65217391304).epsilon(1e-12));
}

TEST_CASE("effects: two factors have one pair, and it is all their interaction", "[reports]") {
    const Battery battery = whole();
    const std::vector<Factor> factors{battery.material, battery.temperature};
    const Effects effects = battery.effects();
    const auto pairs = pair_effects(factors, battery.life, effects);
    REQUIRE(pairs.size() == 1);
    CHECK(pairs[0].squares == Approx(effects.interactions.squares).epsilon(1e-10));
    CHECK(pairs[0].degrees == 4);
    CHECK(*pairs[0].p_value == Approx(*effects.interactions.p_value));
    CHECK(*pairs[0].adjusted_p_value == *pairs[0].p_value);  // the only one
}

// By exact fractions, as above.
TEST_CASE("effects: pairs of an unbalanced design, and what changed together", "[reports]") {
    const std::vector<Factor> factors{factor(2, {0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 1, 0}),
                                      factor(2, {0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0}),
                                      factor(3, {0, 1, 0, 1, 0, 1, 0, 1, 2, 2, 0, 0})};
    const std::vector<double> values{10, 14, 13, 21, 9, 16, 20, 33, 38, 27, 11, 12};
    const Effects effects = of(factors, values);
    CHECK(effects.factors[2].squares == Approx(270.76190476190476).epsilon(1e-10));
    CHECK(*effects.together.share == Approx(361.9047619047619 / 988.6666666666666).epsilon(1e-10));
    CHECK(effects.seeds.degrees == 2);
    const auto pairs = pair_effects(factors, values, effects);
    REQUIRE(pairs.size() == 3);
    CHECK(pairs[0].squares == Approx(961.0 / 21.0).epsilon(1e-10));
    CHECK(pairs[0].first == 0);
    CHECK(pairs[0].second == 1);
    CHECK(pairs[1].squares == Approx(144.0 / 7.0).epsilon(1e-10));
    CHECK(pairs[2].squares == Approx(66.0 / 7.0).epsilon(1e-10));
    CHECK(pairs[2].degrees == 2);
    // Seeds: 10 and 12, 9 and 11, so 4 over 2 degrees; F with 1 and 2 is the square of that t.
    const double f = 961.0 / 21.0 / 2.0;
    CHECK(*pairs[0].p_value == Approx(1.0 - std::sqrt(f / (2.0 + f))).epsilon(1e-9));
    CHECK(*pairs[0].adjusted_p_value == Approx(3.0 * *pairs[0].p_value));
}

TEST_CASE("effects: pairs are not tested without seeds, nor where there are too many",
          "[reports]") {
    const std::vector<Factor> factors{factor(2, {0, 0, 1, 1}), factor(2, {0, 1, 0, 1})};
    const std::vector<double> values{0.1, 0.2, 0.5, 0.9};
    CHECK(pair_effects(factors, values, of(factors, values)).empty());
    Factor many{14, {}};
    Factor more{14, {}};
    std::vector<double> scattered;
    for (std::size_t i = 0; i < 14 * 14 * 2; ++i) {
        many.level_of.push_back(i % 14);
        more.level_of.push_back(i / 14 % 14);
        scattered.push_back(static_cast<double>(i * i % 17));
    }
    CHECK(pair_effects(std::vector<Factor>{many, more}, scattered, of({many, more}, scattered))
              .empty());
}

TEST_CASE("effects: without repetitions there are shares and no tests", "[reports]") {
    const Effects effects =
        of({factor(2, {0, 0, 1, 1}), factor(2, {0, 1, 0, 1})}, {0.1, 0.2, 0.5, 0.6});
    CHECK(*effects.factors[0].share == Approx(0.16 / 0.17));
    CHECK(*effects.factors[1].share == Approx(0.01 / 0.17));
    CHECK_FALSE(effects.factors[0].f);
    CHECK_FALSE(effects.factors[0].adjusted_p_value);
    CHECK_FALSE(effects.seed_deviation);
    CHECK(effects.seeds.degrees == 0);
    CHECK(effects.interactions.squares == Approx(0.0).margin(1e-15));
}

TEST_CASE("effects: what changes only together has no figure, or one of a part", "[reports]") {
    // The second is a function of the first, of which two values share one of the second's; the
    // third is a grid with both.
    const Effects effects = of({factor(3, {0, 0, 1, 1, 2, 2}), factor(2, {0, 0, 0, 0, 1, 1}),
                                factor(2, {0, 1, 0, 1, 0, 1})},
                               {0.1, 0.2, 0.5, 0.6, 0.3, 0.5});
    CHECK(effects.factors[1].is_confounded);
    CHECK_FALSE(effects.factors[1].share);
    // Its values 0 and 1 alone: four runs, means 0.15 and 0.55.
    CHECK(effects.factors[0].is_partial);
    CHECK_FALSE(effects.factors[0].is_confounded);
    CHECK(effects.factors[0].degrees == 1);
    CHECK(effects.factors[0].squares == Approx(0.16));
    CHECK_FALSE(effects.factors[2].is_confounded);
    CHECK_FALSE(effects.factors[2].is_partial);
    // (difference of means)^2 runs / 4, of a factor that is orthogonal to the rest
    CHECK(effects.factors[2].squares == Approx(0.4 / 3.0 * 0.4 / 3.0 * 6.0 / 4.0));
}

// As in a random search.
TEST_CASE("effects: a value of its own for each run leaves nothing to compare", "[reports]") {
    for (const std::size_t runs : {10U, 500U}) {
        Factor first{runs, {}};
        Factor second{runs, {}};
        std::vector<double> values;
        for (std::size_t i = 0; i < runs; ++i) {
            first.level_of.push_back(i);
            second.level_of.push_back(runs - 1 - i);
            values.push_back(static_cast<double>(i % 7));
        }
        const Effects effects = of({first, second}, values);
        CHECK(effects.factors[0].is_confounded);
        CHECK(effects.factors[1].is_confounded);
        CHECK_FALSE(effects.factors[1].share);
        CHECK(effects.total > 0.0);
    }
}

TEST_CASE("effects: values that are all the same have no shares", "[reports]") {
    const Effects effects = of({factor(2, {0, 0, 1, 1})}, {0.3, 0.1 + 0.2, 0.3, 0.3});
    CHECK(effects.total == 0.0);
    CHECK_FALSE(effects.factors[0].share);
    CHECK_FALSE(effects.factors[0].f);
    CHECK_FALSE(effects.seeds.share);
    CHECK(*effects.seed_deviation == 0.0);
}

TEST_CASE("effects: one run, and what is wrong", "[reports]") {
    const Effects one = of({factor(1, {0})}, {0.5});
    CHECK(one.factors[0].degrees == 0);
    CHECK_FALSE(one.factors[0].share);
    CHECK_FALSE(one.factors[0].is_confounded);
    CHECK_THROWS_AS(of({}, {}), std::invalid_argument);
    CHECK_THROWS_AS(of({factor(2, {0})}, {0.1, 0.2}), std::invalid_argument);
    CHECK_THROWS_AS(of({factor(1, {1})}, {0.1}), std::invalid_argument);
}

TEST_CASE("effects: one combination that scatters more than the others", "[reports]") {
    // F with 2 and 4 degrees is 60 / 2 over 4 / 4 = 30: P = (1 + 2 f / 4)^-2, for three groups.
    const std::vector<Scatter> groups{{2.0, 2}, {60.0, 2}, {2.0, 2}, {0.0, 0}};
    CHECK(*unequal_scatter(groups) == Approx(3.0 / (16.0 * 16.0)));
    CHECK(*unequal_scatter(std::vector<Scatter>{{2.0, 2}, {2.0, 2}}) == 1.0);
    CHECK(*unequal_scatter(std::vector<Scatter>{{0.0, 2}, {2.0, 2}}) == 0.0);
    CHECK_FALSE(unequal_scatter(std::vector<Scatter>{{0.0, 2}, {0.0, 2}}));
    CHECK_FALSE(unequal_scatter(std::vector<Scatter>{{1.0, 2}}));
    CHECK_FALSE(unequal_scatter({}));
    // The group of fewer runs has the larger variance, though not the larger sum.
    CHECK(*unequal_scatter(std::vector<Scatter>{{3.0, 1}, {4.0, 4}}) ==
          Approx(2.0 * f_tail_probability(3.0, 1.0, 4.0)));
    const Effects effects = of({factor(2, {0, 0, 1, 1})}, {0.1, 0.5, 0.2, 0.2});
    CHECK(effects.largest_deviation == Approx(0.4 / std::sqrt(2.0)));
    CHECK(*effects.unequal_p_value == 0.0);
}

TEST_CASE("effects: means by values of one setting and of two", "[reports]") {
    const Factor first = factor(2, {0, 0, 1, 1});
    const Factor second = factor(3, {0, 1, 1, 1});
    const std::vector<double> values{0.1, 0.3, 0.5, 0.9};
    const auto means = level_means(first, values);
    REQUIRE(means.size() == 2);
    CHECK(means[1].runs == 2);
    CHECK(means[1].mean == Approx(0.7));
    CHECK(means[1].low == 0.5);
    CHECK(means[1].high == 0.9);
    const auto pairs = pair_means(first, second, values);
    REQUIRE(pairs.size() == 6);
    CHECK(pairs[0].runs == 1);
    CHECK(pairs[2].runs == 0);
    CHECK(pairs[3].runs == 0);
    CHECK(pairs[4].mean == Approx(0.7));
    // means 0.2 and 0.7 around 0.45: 4 * 0.0625 of 0.35
    CHECK(share_between(means, values) == Approx(0.25 / 0.35));
    CHECK(share_between({}, {}) == 0.0);
}
