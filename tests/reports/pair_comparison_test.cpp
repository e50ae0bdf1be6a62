#include "reports/figures/pair_comparison.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "reports/words/pair_text.hpp"
#include "tests/reports/report_rows.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

// Answers of a run: so many of 100 images right, the first ones or the last ones.
enum class Where { first, last };
TestAnswers answers(const RunFigures& run, std::size_t right, Where where) {
    TestAnswers result{run.run.run, std::vector<std::uint16_t>(100, 0), std::vector<bool>(100)};
    for (std::size_t i = 0; i < right; ++i) {
        result.is_correct[where == Where::first ? i : 99 - i] = true;
    }
    return result;
}

RunFigures finished(const std::string& name, std::int64_t seed, double accuracy) {
    return run_figures(finished_run(name, seed, accuracy));
}

TEST_CASE("One run each is compared on the images where one alone is right") {
    const std::vector runs{finished("a", 1, 0.9), finished("b", 1, 0.5)};
    const auto pairs =
        compare_pairs(runs, leaderboard(runs),
                      {answers(runs[0], 90, Where::first), answers(runs[1], 50, Where::first)});
    REQUIRE(pairs.size() == 1);
    CHECK(pairs[0].on_images->only_first == 40);
    CHECK(pairs[0].on_images->only_second == 0);
    CHECK(pairs[0].p_value == mcnemar_exact(40, 0).p_value);
    CHECK(pairs[0].difference == Approx(-0.4));
    CHECK(pairs[0].verdict == Verdict::first_is_better);
    CHECK(verdict_text(pairs[0]) == "a is better, in these trainings");
}

TEST_CASE("Equal accuracies on different images cannot be told apart") {
    const std::vector runs{finished("a", 1, 0.5), finished("b", 1, 0.5)};
    const auto pairs =
        compare_pairs(runs, leaderboard(runs),
                      {answers(runs[0], 50, Where::first), answers(runs[1], 50, Where::last)});
    CHECK(pairs[0].p_value == 1.0);
    CHECK(verdict_text(pairs[0]) == "not distinguishable");
}

TEST_CASE("Shared seeds are compared by a paired t test, others left out") {
    const std::vector runs{finished("a-seed1", 1, 0.50), finished("a-seed2", 2, 0.52),
                           finished("a-seed3", 3, 0.54), finished("b-seed1", 1, 0.60),
                           finished("b-seed2", 2, 0.63), finished("b-seed9", 9, 0.10)};
    const auto pairs = compare_pairs(runs, leaderboard(runs), {});
    REQUIRE(pairs.size() == 1);
    CHECK(pairs[0].is_over_seeds);
    CHECK(pairs[0].over_seeds->difference.count == 2);
    // a is first: its mean is the higher one.
    CHECK(pairs[0].difference == Approx((0.10 + 0.11) / 2));
    // Closed form for one degree of freedom: p = 1 - 2 atan(t) / pi with t = 0.105 / 0.005.
    CHECK(*pairs[0].p_value == Approx(1.0 - 2.0 * std::atan(21.0) / std::acos(-1.0)));
}

TEST_CASE("What was not tested alike is not comparable, and says why") {
    auto other = finished_run("b", 1, 0.5);
    other.run.test_samples = 30;
    const std::vector runs{finished("a", 1, 0.9), run_figures(other), finished("c", 1, 0.8),
                           run_figures(queued_run("d"))};
    const auto pairs = compare_pairs(runs, leaderboard(runs), {});
    for (const PairComparison& pair : pairs) {
        CHECK(pair.verdict == Verdict::not_comparable);
        CHECK_FALSE(pair.reason.empty());
        CHECK(pair.has_one_test_set == (pair.first != "b" && pair.second != "b"));
    }
    CHECK(pairs.size() == 6);
}

TEST_CASE("Predictions on other labels or other data are not paired") {
    auto elsewhere = finished_run("b", 1, 0.5);
    elsewhere.run.data_digest = "other";
    const std::vector runs{finished("a", 1, 0.9), run_figures(elsewhere)};
    const auto pairs =
        compare_pairs(runs, leaderboard(runs),
                      {answers(runs[0], 90, Where::first), answers(runs[1], 50, Where::first)});
    CHECK_FALSE(pairs[0].on_images.has_value());
    CHECK_FALSE(pairs[0].has_one_test_set);
}

RunFigures counted(const std::string& name, std::int64_t seed, std::int64_t right) {
    auto run = finished_run(name, seed, static_cast<double>(right) / 10'000.0);
    run.metrics[2].value = 10'000.0;  // test_count
    return run_figures(run);
}

TEST_CASE("The same difference with every seed has no deviation, however it rounds") {
    const std::vector runs{counted("a-seed1", 1, 6613), counted("a-seed2", 2, 6486),
                           counted("b-seed1", 1, 6715), counted("b-seed2", 2, 6588)};
    const auto pairs = compare_pairs(runs, leaderboard(runs), {});
    REQUIRE(pairs.size() == 1);
    CHECK_FALSE(pairs[0].p_value.has_value());
    CHECK(pairs[0].difference == -0.0102);  // b is first
    CHECK(pairs[0].verdict == Verdict::not_comparable);
    CHECK(verdict_text(pairs[0]).find("no deviation") != std::string::npos);
}

TEST_CASE("A tie seed by seed is a tie, and one image is none") {
    const std::vector runs{counted("a-seed1", 1, 6613), counted("a-seed2", 2, 6486),
                           counted("b-seed1", 1, 6613), counted("b-seed2", 2, 6486)};
    const auto pairs = compare_pairs(runs, leaderboard(runs), {});
    CHECK(pairs[0].verdict == Verdict::tie);
    CHECK(verdict_text(pairs[0]) == "equal with each of 2 seeds");
    const std::vector others{runs[0], runs[1], runs[2], counted("b-seed2", 2, 6487)};
    CHECK(compare_pairs(others, leaderboard(others), {})[0].verdict ==
          Verdict::not_distinguishable);
}

TEST_CASE("A pair says which side was selected on the test set") {
    auto watcher = finished_run("a", 1, 0.9);
    watcher.run.selected_on_test_set = true;
    const std::vector runs{run_figures(watcher), finished("b", 1, 0.5)};
    auto pair =
        compare_pairs(runs, leaderboard(runs),
                      {answers(runs[0], 90, Where::first), answers(runs[1], 50, Where::first)})[0];
    CHECK(selected_text(pair) == "a");
    CHECK(verdict_text(pair) ==
          "a is better, in these trainings; a was selected on the test set, so this flatters it");
    pair.is_second_selected = true;
    CHECK(selected_text(pair) == "both");
    pair.is_first_selected = pair.is_second_selected = false;
    CHECK(selected_text(pair).empty());
}

TEST_CASE("Test sets of equal size and name are other test sets if their data differ") {
    auto elsewhere = [](const std::string& name, std::int64_t seed, double accuracy) {
        auto run = finished_run(name, seed, accuracy);
        run.run.data_digest = "other";
        return run_figures(run);
    };
    const std::vector runs{finished("a-seed1", 1, 0.5), finished("a-seed2", 2, 0.52),
                           elsewhere("b-seed1", 1, 0.9), elsewhere("b-seed2", 2, 0.93)};
    const auto pairs = compare_pairs(runs, leaderboard(runs), {});
    REQUIRE(pairs.size() == 1);
    CHECK_FALSE(pairs[0].has_one_test_set);
    CHECK_FALSE(pairs[0].p_value.has_value());
}

// Squares within a, b, c: 0.0008, 0.0008, 0.0002 over 4 degrees, with 3, 2 and 2 seeds.
TEST_CASE("Three architectures of two seeds or more are tested with the noise of all") {
    const std::vector runs{finished("a-seed1", 1, 0.50), finished("a-seed2", 2, 0.52),
                           finished("a-seed3", 3, 0.54), finished("b-seed1", 1, 0.48),
                           finished("b-seed2", 2, 0.44), finished("c-seed8", 8, 0.20),
                           finished("c-seed9", 9, 0.22)};
    const auto entries = leaderboard(runs);
    const auto pairs = compare_pairs(runs, entries, {});
    REQUIRE(pairs.size() == 3);
    const double deviation = std::sqrt(0.0018 / 4.0);
    // P(|T| > t) with 4 degrees, in closed form.
    const auto p_of = [](double t) {
        const double x = t / std::sqrt(t * t + 4.0);
        return 1.0 - 1.5 * x + 0.5 * x * x * x;
    };
    const double scale = deviation * std::sqrt(1.0 / 3.0 + 1.0 / 2.0);
    CHECK(pairs[0].difference == Approx(-0.06));
    CHECK(*pairs[0].p_value == Approx(p_of(0.06 / scale)).epsilon(1e-9));
    CHECK(pairs[0].is_over_seeds);
    CHECK(pairs[0].pooled->interval.low == Approx(-0.06 - 2.7764451051977987 * scale));
    CHECK(pairs[0].pooled->interval.high == Approx(-0.06 + 2.7764451051977987 * scale));
    CHECK(test_text(pairs[0]) == "t, noise of all seeds");
    CHECK(verdict_text(pairs[0]) == "a is better");
    // No seed is shared, and yet they are compared.
    CHECK(verdict_text(pairs[1]) == "a is better");
    CHECK(pairs[2].difference == Approx(-0.25));
    // Of the first two alone the correction is that of all three.
    const auto first = compare_pairs(runs, entries, {}, 2);
    REQUIRE(first.size() == 1);
    CHECK(first[0].adjusted_p_value == pairs[0].adjusted_p_value);
    CHECK(*first[0].adjusted_p_value == Approx(*first[0].p_value));  // the largest of three
}

TEST_CASE("Holm's correction is over the pairs that were tested") {
    const std::vector runs{finished("a", 1, 0.60), finished("b", 1, 0.54), finished("c", 1, 0.53)};
    const auto pairs =
        compare_pairs(runs, leaderboard(runs),
                      {answers(runs[0], 60, Where::first), answers(runs[1], 54, Where::first),
                       answers(runs[2], 53, Where::first)});
    std::vector<double> p_values;
    for (const PairComparison& pair : pairs) p_values.push_back(*pair.p_value);
    const auto adjusted = holm_adjusted(p_values);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        CHECK(pairs[i].adjusted_p_value == adjusted[i]);
    }
    // 6 to 0 alone is p = 0.03; of three pairs it is not enough.
    CHECK(p_values[0] == Approx(2.0 / 64));
    CHECK(pairs[0].verdict == Verdict::not_distinguishable);
}

}  // namespace
}  // namespace lockstep::reports
