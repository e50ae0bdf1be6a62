#include "reports/figures/pair_tests.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "reports/figures/experiment_report.hpp"
#include "tests/reports/report_rows.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

using Rows = std::vector<storage::RunDetails>;

// Finished seeds 1, 2, ... of a design of its own.
Rows seeds_of(const std::string& name, const std::vector<double>& test_accuracies) {
    Rows rows;
    for (const double accuracy : test_accuracies) {
        const auto seed = static_cast<std::int64_t>(rows.size()) + 1;
        rows.push_back(
            with_setting(finished_run(name, seed, accuracy), "train.x", '"' + name + '"'));
    }
    return rows;
}

const Rows kA = seeds_of("a", {0.50, 0.52, 0.54});
const Rows kB = seeds_of("b", {0.51, 0.50, 0.46});
const Rows kC = seeds_of("c", {0.30, 0.34, 0.29});

// Two-sided p values of Welch's t, by numerical integration of its density:
constexpr double kAB = 0.197460343;     // t = 1.5667 of 3.7231 degrees
constexpr double kAC = 0.000572456905;  // t = 10.9669 of 3.7231 degrees
constexpr double kBC = 0.00113365945;   // t = 8.3324 of 4 degrees

Rows first_of(const Rows& rows, std::ptrdiff_t count) {
    return {rows.begin(), rows.begin() + count};
}

Rows rest_of(const Rows& rows, std::ptrdiff_t count) { return {rows.begin() + count, rows.end()}; }

// With one more experiment in whose list they stand.
Rows listed_in(const std::string& experiment, Rows rows) {
    for (auto& each : rows) each.experiments.push_back(experiment);
    return rows;
}

std::vector<RunFigures> figures_of(const std::vector<Rows>& parts) {
    std::vector<RunFigures> runs;
    for (const Rows& rows : parts) {
        for (const auto& each : rows) runs.push_back(run_figures(each));
    }
    return runs;
}

ExperimentReport page(const std::vector<Rows>& shown, const std::vector<Rows>& beside = {}) {
    return make_comparison(figures_of(shown), figures_of(beside));
}

const PairTest& between(const ExperimentReport& report, const std::string& first,
                        const std::string& second) {
    const auto place = [&](const std::string& name) {
        return static_cast<std::size_t>(
            std::ranges::find(report.entries, name, &ArchitectureFigures::name) -
            report.entries.begin());
    };
    const PairTest* test = test_of(report.tests, place(first), place(second));
    REQUIRE(test != nullptr);
    return *test;
}

}  // namespace

TEST_CASE("pair tests: Holm's correction of three pairs, worked", "[reports]") {
    const ExperimentReport report = page({kA, kB, kC});
    REQUIRE(report.tests.size() == 3);
    CHECK(between(report, "a", "b").welch.p_value == Approx(kAB));
    // The smallest three times, the next one twice, the largest once.
    CHECK(between(report, "a", "c").adjusted_p_value == Approx(3 * kAC));
    CHECK(between(report, "b", "c").adjusted_p_value == Approx(2 * kBC));
    CHECK(between(report, "a", "b").adjusted_p_value == Approx(kAB));
}

TEST_CASE("pair tests: what a page leaves out changes nothing", "[reports]") {
    const ExperimentReport some = page({kA, kC}, {kB});
    REQUIRE(some.tests.size() == 1);
    CHECK(some.tests[0].family == 3);
    CHECK(some.tests[0].adjusted_p_value == Approx(3 * kAC));
    // As if there were no others: another family, and only so another figure.
    CHECK(page({kA, kC}).tests[0].adjusted_p_value == Approx(kAC));
}

TEST_CASE("pair tests: an architecture of which one seed is shown stays in the family",
          "[reports]") {
    const ExperimentReport some = page({kA, kC, first_of(kB, 1)}, {rest_of(kB, 1)});
    REQUIRE(some.entries.size() == 3);
    REQUIRE(some.tests.size() == 1);  // one seed is not tested
    CHECK(between(some, "a", "c").family == 3);
    CHECK(between(some, "a", "c").adjusted_p_value == Approx(3 * kAC));
}

TEST_CASE("pair tests: a pair is tested by the seeds that are shown", "[reports]") {
    // t = 10.9545 of 2.9851 degrees: the second smallest of the three then.
    const ExperimentReport some = page({first_of(kA, 2), kC}, {rest_of(kA, 2), kB});
    CHECK(between(some, "a", "c").welch.p_value == Approx(0.00166567798));
    CHECK(between(some, "a", "c").family == 3);
    CHECK(between(some, "a", "c").adjusted_p_value == Approx(3 * kBC));  // and no less than it
}

TEST_CASE("pair tests: a pair of one experiment is corrected for its pairs alone", "[reports]") {
    Rows elsewhere = kC;
    for (auto& each : elsewhere) each.run.experiment = "another";
    const ExperimentReport report = page({kA, kB, elsewhere});
    CHECK(between(report, "a", "b").family == 1);
    CHECK(between(report, "a", "c").family == 3);  // they share none: all of either
}

TEST_CASE("pair tests: an experiment has the runs in its list, whoever trained them", "[reports]") {
    // `again` lists a and c, which `imagined` trained: its page has the family of the other's.
    const Rows a = listed_in("again", kA), c = listed_in("again", kC);
    CHECK(between(page({a, kB, c}), "a", "c").adjusted_p_value == Approx(3 * kAC));
    CHECK(between(page({a, c}, {kB}), "a", "c").adjusted_p_value == Approx(3 * kAC));
    // `more` lists c and trained d. Where two share an experiment, those of one of them do not
    // matter.
    Rows d = seeds_of("d", {0.70, 0.75, 0.72});
    for (auto& each : d) each.run.experiment = "more";
    const ExperimentReport report = page({kA, kB, listed_in("more", kC), d});
    CHECK(between(report, "a", "c").family == 3);
    CHECK(between(report, "c", "d").family == 1);
    CHECK(between(report, "a", "d").family == 6);
}

}  // namespace lockstep::reports
