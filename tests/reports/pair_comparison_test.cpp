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

std::vector<PairComparison> compared(const std::vector<RunFigures>& runs,
                                     const std::vector<TestAnswers>& answers) {
    const auto entries = leaderboard(runs);
    return compare_pairs(runs, entries, pair_tests(entries, entries), answers);
}

TEST_CASE("One run each is compared on the images where one alone is right") {
    const std::vector runs{finished("a", 1, 0.9), finished("b", 1, 0.5)};
    const auto pairs =
        compared(runs, {answers(runs[0], 90, Where::first), answers(runs[1], 50, Where::first)});
    REQUIRE(pairs.size() == 1);
    CHECK(pairs[0].on_images->only_first == 40);
    CHECK(pairs[0].on_images->only_second == 0);
    CHECK(p_value(pairs[0]) == mcnemar_exact(40, 0).p_value);
    CHECK(test_text(pairs[0]) == "McNemar, one run each");
    CHECK(pairs[0].difference == Approx(0.4));
    // That tells two networks apart, and nothing of other seeds: it decides nothing.
    CHECK(pairs[0].verdict == Verdict::one_seed);
    CHECK_FALSE(adjusted_p_value(pairs[0]).has_value());
    CHECK(verdict_text(pairs[0]) == "not tested: one seed each");
}

TEST_CASE("Equal accuracies on different images: half of the disagreement each") {
    const std::vector runs{finished("a", 1, 0.5), finished("b", 1, 0.5)};
    const auto pairs =
        compared(runs, {answers(runs[0], 50, Where::first), answers(runs[1], 50, Where::last)});
    CHECK(p_value(pairs[0]) == 1.0);
    CHECK(pairs[0].verdict == Verdict::one_seed);
}

TEST_CASE("Seeds are compared by Welch's t, shared or not") {
    const std::vector runs{finished("a-seed1", 1, 0.50), finished("a-seed2", 2, 0.52),
                           finished("a-seed3", 3, 0.54), finished("b-seed1", 1, 0.60),
                           finished("b-seed2", 2, 0.63), finished("b-seed9", 9, 0.66)};
    const auto pairs = compared(runs, {});
    REQUIRE(pairs.size() == 1);
    CHECK(pairs[0].first == "b");
    CHECK(pairs[0].first_seeds == 3);
    CHECK(pairs[0].second_seeds == 3);
    CHECK(pairs[0].difference == Approx(0.11));
    // Variances 0.0009 and 0.0004 of three each.
    const double a = 0.0009 / 3, b = 0.0004 / 3;
    const double degrees = (a + b) * (a + b) / (a * a / 2 + b * b / 2);
    CHECK(pairs[0].test->welch.degrees == Approx(degrees));
    const double t = 0.11 / std::sqrt(a + b);
    CHECK(*p_value(pairs[0]) == Approx(2.0 * student_t_probability(-t, degrees)));
    const double half = student_t_quantile(0.975, degrees) * std::sqrt(a + b);
    CHECK(pairs[0].test->welch.interval.low == Approx(0.11 - half));
    CHECK(pairs[0].test->welch.interval.high == Approx(0.11 + half));
    CHECK(test_text(pairs[0]) == "Welch, over seeds");
    CHECK(verdict_text(pairs[0]) == "b is better");
}

TEST_CASE("One seed against several is not tested, and says whose it is") {
    const std::vector runs{finished("a-seed1", 1, 0.50), finished("a-seed2", 2, 0.52),
                           finished("b", 1, 0.90)};
    const auto pairs = compared(runs, {});
    REQUIRE(pairs.size() == 1);
    CHECK_FALSE(pairs[0].test.has_value());
    CHECK(verdict_text(pairs[0]) == "not tested: b has one seed");
}

TEST_CASE("What was not tested alike is not comparable, and says why") {
    auto other = finished_run("b", 1, 0.5);
    other.run.test_samples = 30;
    const std::vector runs{finished("a", 1, 0.9), run_figures(other), finished("c", 1, 0.8),
                           run_figures(queued_run("d"))};
    const auto pairs = compared(runs, {});
    for (const PairComparison& pair : pairs) {
        const bool is_of_two = pair.first == "a" && pair.second == "c";
        CHECK(pair.verdict == (is_of_two ? Verdict::one_seed : Verdict::not_comparable));
        CHECK(pair.reason.empty() == is_of_two);
        CHECK(pair.has_one_test_set == (pair.first != "b" && pair.second != "b"));
    }
    CHECK(pairs.size() == 6);
}

TEST_CASE("Predictions on other labels or other data are not paired") {
    auto elsewhere = finished_run("b", 1, 0.5);
    elsewhere.run.data_digest = "other";
    const std::vector runs{finished("a", 1, 0.9), run_figures(elsewhere)};
    const auto pairs =
        compared(runs, {answers(runs[0], 90, Where::first), answers(runs[1], 50, Where::first)});
    CHECK_FALSE(pairs[0].on_images.has_value());
    CHECK_FALSE(pairs[0].has_one_test_set);
}

RunFigures counted(const std::string& name, std::int64_t seed, std::int64_t right) {
    auto run = finished_run(name, seed, static_cast<double>(right) / 10'000.0);
    run.metrics[2].value = 10'000.0;  // test_count
    return run_figures(run);
}

TEST_CASE("Seeds that all agree have no scatter, and no test") {
    const std::vector runs{counted("a-seed1", 1, 6613), counted("a-seed2", 2, 6613),
                           counted("b-seed1", 1, 6715), counted("b-seed2", 2, 6715)};
    const auto pairs = compared(runs, {});
    REQUIRE(pairs.size() == 1);
    CHECK_FALSE(p_value(pairs[0]).has_value());
    CHECK(pairs[0].difference == Approx(0.0102));  // b is first
    CHECK(pairs[0].verdict == Verdict::not_comparable);
    CHECK(verdict_text(pairs[0]).find("no scatter") != std::string::npos);
}

TEST_CASE("A tie seed by seed is a tie, and one image is none") {
    const std::vector runs{counted("a-seed1", 1, 6613), counted("a-seed2", 2, 6486),
                           counted("b-seed1", 1, 6613), counted("b-seed2", 2, 6486)};
    const auto pairs = compared(runs, {});
    CHECK(pairs[0].verdict == Verdict::tie);
    CHECK(verdict_text(pairs[0]) == "equal with each of 2 seeds");
    const std::vector others{runs[0], runs[1], runs[2], counted("b-seed2", 2, 6487)};
    CHECK(compared(others, {})[0].verdict == Verdict::not_distinguishable);
}

TEST_CASE("A tie with the seeds of one side alone is none: the test decides") {
    std::vector<RunFigures> runs{counted("b-seed1", 1, 6000), counted("b-seed2", 2, 6100)};
    for (const std::int64_t right : {6000, 6100, 7990, 8010, 8000, 7995, 8005, 8000}) {
        const auto seed = static_cast<std::int64_t>(runs.size()) - 1;
        runs.push_back(counted("a-seed" + std::to_string(seed), seed, right));
    }
    const auto pairs = compared(runs, {});
    REQUIRE(pairs.size() == 1);
    CHECK(pairs[0].first == "a");
    CHECK(pairs[0].first_seeds == 8);
    CHECK(pairs[0].second_seeds == 2);
    // Means 0.75125 and 0.605; variances 0.0081557 of eight and 0.00005 of two: t = 4.5253
    // of 7.3167 degrees.
    CHECK(*p_value(pairs[0]) == Approx(0.00242777).epsilon(1e-4));
    CHECK(pairs[0].verdict == Verdict::first_is_better);
    CHECK(verdict_text(pairs[0]) == "a is better");
}

TEST_CASE("A pair says which side was selected on the test set") {
    auto watcher = finished_run("a", 1, 0.9);
    watcher.run.selected_on_test_set = true;
    const std::vector runs{run_figures(watcher), finished("b", 1, 0.5)};
    auto pair =
        compared(runs, {answers(runs[0], 90, Where::first), answers(runs[1], 50, Where::first)})[0];
    CHECK(selected_text(pair) == "a");
    CHECK(verdict_text(pair) ==
          "not tested: one seed each; a was selected on the test set, so this flatters it");
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
    const auto pairs = compared(runs, {});
    REQUIRE(pairs.size() == 1);
    CHECK_FALSE(pairs[0].has_one_test_set);
    CHECK_FALSE(p_value(pairs[0]).has_value());
}

}  // namespace
}  // namespace lockstep::reports
