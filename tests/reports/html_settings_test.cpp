// What the page says of settings, in words and within bounds. Its figures are held to SQL in
// tests/end_to_end/report_sweep_test.cpp.

#include "reports/page/html_settings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reports/page/html_leaderboard.hpp"
#include "reports/page/html_report.hpp"
#include "reports/page/html_verdict.hpp"
#include "reports/tables/sweep_table.hpp"
#include "reports/words/verdict_text.hpp"
#include "tests/reports/report_rows.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep::reports;
using lockstep::storage::RunDetails;

namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

int count(const std::string& text, const std::string& part) {
    int found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++found;
    }
    return found;
}

RunDetails run_of(int rate, int momentum, int seed, double accuracy) {
    return with_setting(
        with_setting(finished_run(fmt::format("n-{}-{}", rate, momentum), seed, accuracy),
                     "train.optimizer.learning_rate", fmt::format("0.{}", rate)),
        "train.optimizer.momentum", fmt::format("0.{}", momentum));
}

std::vector<RunDetails> grid(int rates, int momenta, int seeds) {
    std::vector<RunDetails> rows;
    for (int rate = 1; rate <= rates; ++rate)
        for (int momentum = 1; momentum <= momenta; ++momentum)
            for (int seed = 1; seed <= seeds; ++seed)
                rows.push_back(run_of(rate, momentum, seed,
                                      0.2 + 0.1 * rate + 0.01 * ((seed * 7 + momentum) % 5)));
    return rows;
}

std::string settings_of(std::vector<RunDetails> rows) {
    const ExperimentReport report = report_of(RowsSource(std::move(rows)));
    return html_settings(report, report_sweep(report));
}

std::string verdict_of(const ExperimentReport& report) {
    return html_verdict(report, report_sweep(report));
}

}  // namespace

TEST_CASE("settings: no section where runs differ in name and seed alone", "[reports]") {
    CHECK(settings_of({}).empty());
    CHECK(settings_of(
              {finished_run("a", 1, 0.5), finished_run("a", 2, 0.6), finished_run("b", 1, 0.5)})
              .empty());
}

TEST_CASE("settings: what mattered is said in words, and what did not", "[reports]") {
    const std::string html = settings_of(grid(3, 2, 3));
    CHECK(contains(html, "<b>learning_rate mattered most</b>"));
    CHECK(contains(html, "Not larger than seed noise: momentum."));
    CHECK(contains(html, "a complete grid with equally many runs each"));
    CHECK(contains(html, "<code>train.<wbr>optimizer.<wbr>learning_<wbr>rate</code>"));
    CHECK(count(html, "<svg class=\"plot parallel") == 1);
    CHECK(count(html, "<svg class=\"plot sweep\"") == 2);
    CHECK(count(html, "mean test accuracy</caption>") == 1);
    CHECK(count(html, "<path class=\"run q") == 18 + 10);  // lines, and two legends of five
    CHECK(count(html, "<circle class=\"dot") == 36);
}

TEST_CASE("settings: interactions are named by their pairs", "[reports]") {
    std::vector<RunDetails> rows;
    for (const int rate : {1, 2})
        for (const int momentum : {1, 2})
            for (const int seed : {1, 2, 3})
                rows.push_back(
                    run_of(rate, momentum, seed, (rate == momentum ? 0.8 : 0.3) + 0.001 * seed));
    const std::string html = settings_of(std::move(rows));
    // The first of two alike; p < 0.0001 as markup.
    CHECK(contains(html, "It is so of learning_rate × momentum (100.0 %, p &lt; 0.0001)."));
}

TEST_CASE("settings: what changed together is not said to matter most", "[reports]") {
    // A grid of the rate within each of two momenta that have rates of their own.
    std::vector<RunDetails> rows;
    for (const int seed : {1, 2}) {
        rows.push_back(run_of(1, 1, seed, 0.30 + 0.01 * seed));
        rows.push_back(run_of(2, 1, seed, 0.34 + 0.01 * seed));
        rows.push_back(run_of(3, 2, seed, 0.80 + 0.01 * seed));
        rows.push_back(run_of(4, 2, seed, 0.84 + 0.01 * seed));
    }
    const std::string html = settings_of(std::move(rows));
    CHECK(contains(html, "<b>No setting can be singled out</b>: "));
    CHECK(contains(html, "several settings together"));
    CHECK_FALSE(contains(html, "mattered most"));
}

TEST_CASE("settings: one seed each is told as not telling", "[reports]") {
    const std::string html = settings_of(grid(3, 2, 1));
    CHECK(contains(html, "No combination was trained with a second seed"));
    CHECK(contains(html, "no test: no second seed of any combination"));
    CHECK_FALSE(contains(html, "larger than seed noise<"));
}

TEST_CASE("settings: those that changed only together are told as one", "[reports]") {
    const std::string html = settings_of(
        {run_of(1, 1, 1, 0.4), run_of(1, 1, 2, 0.41), run_of(2, 2, 1, 0.6), run_of(2, 2, 2, 0.61)});
    // One setting of two values is the pair itself, which is tested as every pair.
    CHECK_FALSE(contains(html, "Which setting mattered"));
    CHECK_FALSE(contains(html, "<svg class=\"plot sweep\""));
    CHECK(contains(html,
                   "cannot be told from it, since they change only with it: "
                   "<code>train.<wbr>optimizer.<wbr>momentum</code>"));
}

TEST_CASE("settings: of networks what tells each apart, and once what all share", "[reports]") {
    const auto network = [](const char* second_layer, int seed, const char* momentum) {
        auto run = with_setting(finished_run(second_layer, seed, 0.5), "train.optimizer.momentum",
                                momentum);
        run.run.effective_config += fmt::format("\n[[run.layers]]\ntype = \"{}\"\n", second_layer);
        return run;
    };
    std::vector<RunDetails> rows{network("dense", 1, "0.9"), network("flatten", 1, "0.5")};
    rows.push_back(network("dropout", 1, "0.1"));
    rows.back().run.data_digest = "another digest";
    const std::string html = settings_of(rows);
    CHECK(contains(html, "What tells the architectures apart</caption>"));
    CHECK(contains(html, ">2 dense</td>"));
    constexpr const char* kPart = "<span class=\"unbroken\">";
    for (const char* second : {"flatten", "dropout"})
        CHECK(contains(html, fmt::format("{0}dense,</span> {0}{1}</span></td>", kPart, second)));
    for (const char* momentum : {"0.9", "0.5", "0.1"})
        CHECK(contains(html, fmt::format("<td class=\"n\">{}</td>", momentum)));
    CHECK(contains(html, "<dt>train.batch_size</dt><dd>32</dd>"));
    CHECK(contains(html, "1 further setting at the default in all runs</summary>"));
    CHECK(contains(html, "<dt>data.classes</dt>"));
    CHECK_FALSE(contains(html, "All runs"));  // the leaderboard has a line for each
    CHECK_FALSE(contains(html, "train.seed"));
    rows.push_back(network("dense", 2, "0.9"));
    CHECK(contains(settings_of(rows), "All runs"));
}

TEST_CASE("settings: a value that only runs left out have is named beside the one compared",
          "[reports]") {
    auto rows = grid(2, 2, 1);
    rows.push_back(with_setting(run_of(1, 1, 2, 0.5), "train.shuffle", "false"));
    for (std::size_t i = 0; i < 4; ++i)
        rows[i] = with_setting(std::move(rows[i]), "train.shuffle", "true");
    rows.back().run.data_digest = "another digest";
    CHECK(contains(settings_of(rows), "true; in runs left out false"));
}

TEST_CASE("settings: a random search is not analysed, and shown all the same", "[reports]") {
    std::vector<RunDetails> rows;
    for (int i = 1; i <= 9; ++i) rows.push_back(run_of(i, 1 + i * 7 % 10, 1, 0.3 + 0.02 * i));
    rows.push_back(run_of(9, 9, 1, 0.9));
    const std::string html = settings_of(std::move(rows));
    CHECK_FALSE(contains(html, "Which setting mattered"));
    CHECK(count(html, "<svg class=\"plot parallel") == 1);
}

TEST_CASE("settings: seeds that agree to the last image are no noise to test against",
          "[reports]") {
    std::vector<RunDetails> rows, same;
    for (const int rate : {1, 2})
        for (const int momentum : {1, 2})
            for (const int seed : {1, 2}) {
                rows.push_back(run_of(rate, momentum, seed, 0.2 * rate + 0.1 * momentum));
                same.push_back(run_of(rate, momentum, seed, 0.4));
            }
    CHECK(contains(settings_of(rows), "no test: seeds agree to the last image"));
    CHECK(contains(settings_of(same), "<b>Nothing mattered</b>"));
}

TEST_CASE("settings: seeds that do not scatter alike are told", "[reports]") {
    auto rows = grid(3, 2, 3);
    rows[0].metrics[1].value = 0.1;
    rows[1].metrics[1].value = 0.9;
    const std::string warning = "Seeds do not scatter alike: by 0.4";
    CHECK(contains(settings_of(rows), warning));
    CHECK_FALSE(contains(settings_of(grid(3, 2, 3)), "scatter alike: by"));
}

TEST_CASE("settings: runs without a result are counted, and listed with their state", "[reports]") {
    auto rows = grid(2, 2, 1);
    rows[3].run.state = lockstep::storage::RunState::failed;
    rows[3].metrics.clear();
    const std::string html = settings_of(rows);
    CHECK(contains(html, "3 finished runs"));
    CHECK(contains(html, "; 1 without a result yet are left out"));
    CHECK(contains(html, "failed</span></data><small>epoch 10 of 10</small>"));
    for (auto& row : rows) {
        row.run.state = lockstep::storage::RunState::running;
        row.metrics.clear();
    }
    const std::string none = settings_of(rows);
    CHECK(contains(none, "0 finished runs; 4 without a result"));
    CHECK_FALSE(contains(none, "<svg class=\"plot"));
    CHECK_FALSE(contains(none, "nan"));
}

TEST_CASE("settings: 600 runs of many settings stay within bounds that are told", "[reports]") {
    std::vector<RunDetails> rows;
    for (int i = 0; i < 600; ++i) {
        auto run = finished_run(fmt::format("r{}", i), 1, 0.001 * i);
        for (int key = 0; key < 14; ++key) {
            run = with_setting(std::move(run), fmt::format("train.key{:02}", key),
                               fmt::format("{}", (i >> (key % 9)) % 3));
        }
        rows.push_back(std::move(run));
    }
    const std::string html = settings_of(std::move(rows));
    CHECK(html.size() < 480'000);
    CHECK(contains(html, "200 of 600 runs are drawn, evenly by accuracy."));
    CHECK(contains(html, "The first 200 of 600 runs; report.csv has every run."));
    CHECK(count(html, "mean test accuracy</caption>") == 6);
    CHECK(contains(html, "Left out, because they tell less"));
    CHECK(contains(html, " more.</p>"));
}

TEST_CASE("settings: names and values of users are inert", "[reports]") {
    const std::string hostile = "\\\"><script>alert(1)</script>";
    auto first = with_setting(finished_run("a", 1, 0.5), "train.word", '"' + hostile + '"');
    auto second = with_setting(finished_run("b", 1, 0.6), "train.word", "\"other\"");
    first.run.name = "<img src=x onerror=alert(2)>";
    const std::string html = settings_of({first, second});
    CHECK_FALSE(contains(html, "<script>alert"));
    CHECK_FALSE(contains(html, "<img"));
    CHECK(contains(html, "&lt;script&gt;"));
}

TEST_CASE("verdict: who won, from whom it is told apart, and of how many it is the best",
          "[reports]") {
    const ExperimentReport report = report_of(RowsSource(grid(3, 1, 3)));
    const std::string html = verdict_of(report);
    CHECK(contains(html, "<b class=\"unbroken\">n-3-1</b><b> has the best test accuracy, "));
    CHECK(contains(html, "(mean of 3 seeds)"));
    CHECK(contains(html, "It is better than all 2 others.</b>"));
    CHECK(contains(html, "corrected for the 3 pairs of the experiment"));
    CHECK(contains(html, " is no better than guessing, 0.5000."));
    CHECK(contains(html, "<a href=\"#selection\">To be the best of 3 is luck, too</a>."));
    const std::string selection = html_selection(report);
    CHECK(contains(selection, "<b>n-3-1</b> is the best of 3 architectures (9 finished runs)"));
    CHECK(contains(html_report(report), "id=\"selection\""));
}

TEST_CASE("verdict: one seed each says nothing of others", "[reports]") {
    const ExperimentReport report =
        report_of(RowsSource({finished_run("a", 1, 0.9), finished_run("b", 1, 0.5)}));
    const std::string html = verdict_of(report);
    CHECK(contains(html, "<b class=\"warn\">With one seed nobody can tell"));
    CHECK_FALSE(contains(html, "better than b"));
    CHECK_FALSE(contains(html, "class=\"good\""));
    CHECK(contains(html, "b is no better than guessing</b>."));
}

TEST_CASE("verdict: a filter changes no verdict", "[reports]") {
    const auto rows = grid(3, 1, 3);
    RowsSource source(rows);
    const auto all = source.ids();
    const ReportedRuns some{{all.begin() + 3, all.end()}, {all.begin(), all.begin() + 3}};
    const ExperimentReport whole = make_report({}, {all, {}}, source);
    const ExperimentReport part = make_report({}, some, source);
    REQUIRE(part.tests.size() == 1);
    CHECK(part.tests[0].adjusted_p_value == test_of(whole.tests, 0, 1)->adjusted_p_value);
    CHECK(pair_sentence(part, 0, 1) == pair_sentence(whole, 0, 1));
    CHECK(pair_sentence(part, 0, 1) == pair_sentence(part, 1, 0));
    CHECK(pair_sentence(part, 0, 1).starts_with("n-3-1 is better than n-2-1: test accuracy "));
}

TEST_CASE("verdict: equal ones, synthetic images and unfinished runs are told", "[reports]") {
    auto rows = grid(1, 3, 3);
    rows.push_back(queued_run("late"));
    for (auto& row : rows) row.run.dataset = "synthetic";
    const std::string html = verdict_of(report_of(RowsSource(rows)));
    CHECK(contains(html, "It is <b class=\"warn\">not told apart</b> from "));
    CHECK(contains(html, "The images are synthetic</b>"));
    CHECK(contains(html, "1 of 10 runs has not finished"));
    CHECK(contains(verdict_of(report_of(RowsSource({queued_run("q")}))),
                   "No architecture has a test accuracy yet."));
    CHECK(contains(verdict_of(report_of(RowsSource({finished_run("one", 1, 0.9)}))),
                   "one</b><b> has a test accuracy of 0.9000</b> (one training)."));
}

TEST_CASE("leaderboard: an architecture that guesses has a badge, its test set a level",
          "[reports]") {
    // 54 of 100 with two classes: Wilson's interval holds a half.
    const ExperimentReport report =
        report_of(RowsSource({finished_run("guess", 1, 0.54), finished_run("good", 1, 0.9)}));
    const std::string html = html_leaderboard(report, report_sweep(report), Details::open);
    CHECK(contains(html, "no better than guessing"));
    CHECK(html.find("no better than guessing") == html.rfind("no better than guessing"));
    CHECK(contains(html, "guessing gives 0.5000"));
    CHECK_FALSE(contains(html, ">settings</th>"));  // their names tell them apart
}

TEST_CASE("leaderboard: names that end with a hash stand there with their settings", "[reports]") {
    std::vector<lockstep::storage::RunDetails> rows;
    for (int i = 0; i < 4; ++i) {
        rows.push_back(with_setting(
            finished_run(i < 2 ? "net-8c96775b" : "net-e3e51b24", 1 + i % 2, 0.8 + 0.02 * i),
            "train.optimizer.momentum", i < 2 ? "0.0" : "0.9"));
    }
    const ExperimentReport report = report_of(RowsSource(rows));
    const std::string html = html_leaderboard(report, report_sweep(report), Details::open);
    CHECK(contains(html, ">settings</th>"));
    const std::size_t best = html.find("momentum <b>0.9</b>");
    REQUIRE(best != std::string::npos);
    CHECK(best < html.find("momentum <b>0</b>"));
}
