// A report of several experiments, or of the runs that a condition chooses.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/report_tables.hpp"
#include "tests/end_to_end/sweep_store.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const fs::path& store() { return sweep_store(); }

TEST_CASE("a report of two experiments tells equal names apart by them", "[end_to_end]") {
    const Result result =
        lockstep({"report", "sweep", "other", "sweep", "--store", store().string()});
    REQUIRE(result.exit_code == 0);
    const fs::path folder = store() / "reports/sweep+other";
    CHECK(result.output.find((folder / "report.html").string()) != std::string::npos);
    const ReportTable csv = csv_table(read_text(folder / "report.csv"));
    const Result asked = lockstep({"query", "select run, experiment from runs", "--store",
                                   store().string(), "--format", "json"});
    const Json expected = Json::parse(asked.output);
    REQUIRE(expected.size() == 9);
    CHECK(csv.rows.size() == 9);
    for (const Json& run : expected)
        CHECK(csv.at(run.at("run"), "experiment") == run.at("experiment").get<std::string>());
    const std::string html = read_text(folder / "report.html");
    CHECK(html.find("Experiments sweep, other. ") != std::string::npos);
    const auto board = titled(markdown_tables(read_text(folder / "report.md")), "Leaderboard");
    REQUIRE(board.size() == 1);
    CHECK(board[0].rows.size() == 5);
    for (const char* name : {"n-learning_rate0.05-units16 (sweep)",
                             "n-learning_rate0.05-units16 (other)", "n-learning_rate0.05-units4"})
        CHECK_NOTHROW(board[0].at(name, "state"));
    const auto runs = titled(html_tables(html), "Runs, in the order");
    REQUIRE(runs.size() == 1);
    CHECK(runs[0].at("n-learning_rate0.05-units16", "experiment") == "other");
}

TEST_CASE("a report of some runs has those that ls shows for the condition", "[end_to_end]") {
    const std::string where = "dense.units = 16 and test_accuracy > 0";
    const Result result = lockstep(
        {"report", "--experiment", "sweep", "--where", where, "--store", store().string()});
    INFO(result.errors);
    REQUIRE(result.exit_code == 0);
    const std::string html = result.output.substr(0, result.output.find('\n'));
    CHECK(html.find("reports/sweep+where-") != std::string::npos);
    CHECK(read_text(html).find("Experiment sweep: 4 of its 8 runs, where dense.units = 16") !=
          std::string::npos);
    const ReportTable csv = csv_table(read_text(fs::path(html).parent_path() / "report.csv"));
    const Result listed = lockstep({"ls", "sweep", "--where", where, "--columns", "run", "--format",
                                    "json", "--store", store().string()});
    const Json shown = Json::parse(listed.output);
    REQUIRE(shown.size() == 4);
    CHECK(csv.rows.size() == 4);
    for (const Json& run : shown) CHECK(csv.at(run.at("run"), "layers.dense.units") == "16");
    // That of the whole experiment is as it was.
    CHECK(csv_table(read_text(store() / "reports/sweep/report.csv")).rows.size() == 8);
}

TEST_CASE("a report that cannot be made says why", "[end_to_end]") {
    const auto code = [](const std::vector<std::string>& words, const std::string& says) {
        std::vector<std::string> command{"report", "--store", store().string()};
        command.insert(command.end(), words.begin(), words.end());
        const Result result = lockstep(command);
        CAPTURE(result.errors);
        CHECK(result.errors.find(says) != std::string::npos);
        return result.exit_code;
    };
    CHECK(code({}, "which experiment? The store has: other, sweep") == 64);
    CHECK(code({"sweep", "nothing"}, "no experiment \"nothing\"; it has: other, sweep") == 66);
    CHECK(code({"sweep", "--where", "dense.units = 17"}, "no run of sweep has dense.units = 17") ==
          66);
    CHECK(code({"sweep", "--where", "dense.unit = 16"}, "did you mean") == 64);
    CHECK(code({"sweep", "--where", "1; drop table runs"}, "--where") == 64);
    CHECK(code({"sweep", "--experiment", "other"}, "excludes") == 64);
}

}  // namespace
}  // namespace lockstep::tests
