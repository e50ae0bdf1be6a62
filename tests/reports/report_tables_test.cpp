#include "reports/tables/report_tables.hpp"

#include <algorithm>
#include <sstream>
#include <string>

#include "reports/figures/config_text.hpp"
#include "reports/figures/design.hpp"
#include "reports/tables/report_csv.hpp"
#include "reports/words/number_text.hpp"
#include "tests/reports/report_rows.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

std::string line_of(const std::string& text, std::size_t number) {
    std::istringstream lines(text);
    std::string line;
    for (std::size_t i = 0; i <= number; ++i) std::getline(lines, line);
    return line;
}

TEST_CASE("The CSV has every run with its exact figures") {
    const auto report = report_of(RowsSource({finished_run("a", 1, 0.8123), queued_run("b")}));
    const storage::Table table = runs_table(report);
    REQUIRE(table.rows.size() == 2);
    for (const auto& row : table.rows) CHECK(row.size() == table.columns.size());
    const std::string csv = csv_report(report);
    CHECK(line_of(csv, 1).starts_with("a-00000001,a,1,finished,"));
    CHECK(line_of(csv, 1).find(",0.8123,") != std::string::npos);
    CHECK(line_of(csv, 2).starts_with("b-00000001,b,1,queued,"));
}

TEST_CASE("A spreadsheet computes nothing that a user wrote") {
    auto run = finished_run("a", 1, 0.8);
    for (const std::string formula : {"=HYPERLINK(\"http://x\")", "+1", "-1", "@x", "\tx", "\nx"}) {
        CAPTURE(formula);
        run.run.source = formula;
        const std::string csv = csv_report(report_of(RowsSource({run})));
        const std::string cell = csv.substr(csv.find(",finished,") + 10, 2);
        CHECK((cell[0] == '\'' || (cell[0] == '"' && cell[1] == '\'')));
    }
}

TEST_CASE("The CSV of pairs has exact figures, and the mark of a choice by the test set") {
    auto watcher = finished_run("a", 1, 0.9);
    watcher.run.selected_on_test_set = true;
    RowsSource source({watcher, finished_run("b", 1, 0.5)});
    source.put_predictions("a-00000001", 90, 100);
    source.put_predictions("b-00000001", 50, 100);
    const auto report = report_of(source);
    CHECK(line_of(pairs_csv(report), 0) ==
          "first,second,difference,first_seeds,second_seeds,difference_low,difference_high,"
          "right_only_first,right_only_second,test,p,p_after_holm,selected_on_test_set,verdict");
    CHECK(
        line_of(pairs_csv(report), 1).starts_with("a,b,0.4,1,1,,,40,0,\"McNemar, one run each\","));
    CHECK(line_of(pairs_csv(report), 1).find(",,a,\"not tested: one seed each;") !=
          std::string::npos);
    CHECK(markdown_report(report).find("a was selected on the test set") != std::string::npos);
}

TEST_CASE("A run that is another's training says so in Markdown and CSV") {
    auto first = finished_run("x", 1, 0.8);
    auto second = finished_run("x-seed1", 1, 0.8);
    first.run.config_digest = second.run.config_digest = "one configuration";
    const auto report = report_of(RowsSource({first, second}));
    // The settings stand behind it.
    CHECK(line_of(csv_report(report), 1).find(",a digest,,") != std::string::npos);
    CHECK(line_of(csv_report(report), 2).find(",a digest,x-00000001,") != std::string::npos);
    CHECK(markdown_report(report).find("| x-00000001 |\n") != std::string::npos);
}

TEST_CASE("Markdown shows the leaderboard and the pairs, user text escaped") {
    RowsSource source({finished_run("a", 1, 0.9), finished_run("b", 1, 0.5)});
    source.put_predictions("a-00000001", 90, 100);
    source.put_predictions("b-00000001", 50, 100);
    const std::string text = markdown_report(report_of(source, "<script>[x](y)"));
    CHECK(line_of(text, 0) == "# &lt;script&gt;\\[x\\](y)");
    CHECK(text.find("## Leaderboard") != std::string::npos);
    CHECK(text.find("not tested: one seed each") != std::string::npos);
    CHECK(line_of(text, 4).starts_with("a has the best test accuracy, 0.9000 (one training). "));
    CHECK(text.find("| a | finished |") != std::string::npos);
}

TEST_CASE("An effective configuration is read with its keys, values and origins") {
    const auto values = config_values(
        "# a comment\nschema = 1\n[experiment]\nname = \"e\"\n[[run]]\nname = \"a # b\"  # "
        "f.toml:3\n"
        "train.epochs = 2  # --set\n[[run.layers]]\nunits = 3\n[[run.layers]]\nunits = 4  # "
        "default\n");
    REQUIRE(values.size() == 6);
    CHECK(values[1].key == "experiment.name");
    CHECK(values[2].value == "\"a # b\"");
    CHECK(values[2].origin == "f.toml:3");
    CHECK(values[3].origin == "--set");
    CHECK(values[4].key == "layers.0.units");
    CHECK(value_of(values, "layers.1.units") == "4");
    CHECK(value_of(values, "nothing").empty());
    CHECK(settings_lines(values, "") == "train.epochs=2\nlayers.0.units=3\nlayers.1.units=4\n");
    CHECK(config_values("").empty());
    CHECK(list_of_texts("[\"cat\", \"dog\"]") == std::vector<std::string>{"cat", "dog"});
    CHECK(list_of_texts("7").empty());
}

TEST_CASE("Figures read as people write them") {
    CHECK(thousands(0) == "0");
    CHECK(thousands(-1'234'567) == "-1,234,567");
    CHECK(ordinal_text(1) == "1st");
    CHECK(ordinal_text(2) == "2nd");
    CHECK(ordinal_text(3) == "3rd");
    CHECK(ordinal_text(4) == "4th");
    CHECK(ordinal_text(11) == "11th");
    CHECK(ordinal_text(112) == "112th");
    CHECK(ordinal_text(22) == "22nd");
    CHECK(ordinal_text(20) == "20th");
    CHECK(figure_text(0.66454) == "0.6645");
    CHECK(figure_text(1e-6) == "1.00e-06");
    CHECK(figure_text(std::nullopt) == kNoFigure);
    CHECK(duration_text(0.123) == "0.12 s");
    CHECK(duration_text(59.94) == "59.9 s");
    CHECK(duration_text(162) == "2 min 42 s");
    CHECK(duration_text(3599.6) == "1 h 00 min");
    CHECK(p_value_text(0.00001) == "< 0.0001");
    CHECK(signed_text(-0.01) == "−0.0100");
    CHECK(flops_text(78'195'388) == "78.20 M");
}

}  // namespace
}  // namespace lockstep::reports
