// Whoever asks, whatever page or filter: the same runs, the same family, the same verdict. On
// imagined figures whose p values were worked out by numerical integration of Welch's density.

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/end_to_end/imagined_store.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/report_tables.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

const std::vector<double> kA{0.50, 0.52, 0.54}, kB{0.51, 0.50, 0.46}, kC{0.30, 0.34, 0.29};
// a against c: p 0.000572457, the smallest of three pairs.
constexpr double kAdjusted = 3 * 0.000572456905;
constexpr const char* kSentence = "p 0.0017, corrected for the 3 pairs of the experiment";

Result in(const ImaginedStore& store, std::vector<std::string> words) {
    words.insert(words.end(), {"--store", store.path().string()});
    return lockstep(words);
}

std::string output_in(const ImaginedStore& store, const std::vector<std::string>& words) {
    const Result result = in(store, words);
    INFO(result.errors);
    CHECK(result.exit_code == 0);
    return result.output;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// The corrected p of the pair, as a report of the experiments has it.
double reported_p(const ImaginedStore& store, const std::vector<std::string>& experiments,
                  const std::string& first, const std::string& second,
                  const std::vector<std::string>& more = {}) {
    TemporaryDirectory out;
    std::vector<std::string> words{"report", "--out", (out / "r").string()};
    words.insert(words.end(), experiments.begin(), experiments.end());
    words.insert(words.end(), more.begin(), more.end());
    output_in(store, words);
    const ReportTable pairs = csv_table(read_text(out / "r" / "pairs.csv"));
    for (const auto& row : pairs.rows) {
        if (row.at(0) != first || row.at(1) != second) continue;
        const auto column = std::ranges::find(pairs.columns, "p_after_holm");
        REQUIRE(column != pairs.columns.end());
        return std::stod(row.at(static_cast<std::size_t>(column - pairs.columns.begin())));
    }
    FAIL("no such pair");
    return 0.0;
}

}  // namespace

TEST_CASE("report, compare and diff correct a pair for the same pairs", "[end_to_end]") {
    ImaginedStore store;
    const auto a = store.finish("first", "a", kA);
    const auto b = store.finish("first", "b", kB);
    const auto c = store.finish("first", "c", kC);
    store.list("again", a);  // trained by `first`, and skipped there
    store.list("again", c);
    for (const std::vector<std::string>& page :
         {std::vector<std::string>{"first"}, {"again"}, {"again", "first"}}) {
        CAPTURE(page);
        CHECK(reported_p(store, page, "a", "c") == Approx(kAdjusted));
    }
    CHECK(reported_p(store, {"first"}, "a", "c", {"--where", "name not like 'b%'"}) ==
          Approx(kAdjusted));
    // One seed of b shown takes b from no family.
    CHECK(reported_p(store, {"first"}, "a", "c", {"--where", "name not like 'b%' or seed = 2"}) ==
          Approx(kAdjusted));
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"compare", "--experiment", "again"},
          {"compare", "a", "c"},
          {"diff", "a", "c"},
          {"diff", a[0], c[0]}}) {
        CAPTURE(words);
        CHECK(has(output_in(store, words), kSentence));
    }
    const std::string some = output_in(store, {"compare", "a", "c", b[0]});
    CHECK(has(some, "corrected for the 3 pairs of the experiment"));
}

TEST_CASE("a report of two experiments that list a run has it once", "[end_to_end]") {
    ImaginedStore store;
    const auto a = store.finish("first", "a", kA);
    store.finish("first", "b", kB);
    store.finish("second", "c", kC);
    store.list("second", a);
    output_in(store, {"report", "first", "second"});
    const fs::path folder = store.path() / "reports/first+second";
    const std::string csv = read_text(folder / "report.csv");
    CHECK(csv_table(csv).rows.size() ==
          static_cast<std::size_t>(std::stoi(rows(store.path(), "select count(*) from v_runs"))));
    CHECK_FALSE(has(read_text(folder / "report.md"), "is the training of"));
    output_in(store, {"report", "first", "second", "--where", "test_accuracy > 0.4"});
}

TEST_CASE("diff is over all seeds of both, whoever trained them", "[end_to_end]") {
    ImaginedStore store;
    store.finish("first", "a", kA);
    store.finish("first", "c", kC);
    store.finish("second", "a", {0.51, 0.53}, 4);
    store.finish("second", "c", {0.31, 0.33}, 4);
    for (const auto& sides :
         {std::vector<std::string>{"a", "c"}, {"a-seed1", "c-seed1"}, {"a-seed1", "c-seed4"}}) {
        CAPTURE(sides);
        const std::string text = output_in(store, {"diff", sides[0], sides[1]});
        CHECK(has(text, "means of 5 and 5 seeds"));
    }
    CHECK(has(output_in(store, {"diff", "a", "c"}), "1 2 3 4 5"));
}

TEST_CASE("diff subtracts no means of different images", "[end_to_end]") {
    ImaginedStore store;
    store.finish("first", "a", kA, 1, "data.validation = \"test\"\n");
    store.finish("first", "b", kB, 1, "data.validation = { first = 20 }\n", 3'000);
    const auto diff =
        nlohmann::json::parse(output_in(store, {"diff", "a", "b", "--format", "json"}));
    int compared = 0;
    for (const auto& row : diff.at("figures")) {
        CAPTURE(row.dump());
        const bool is_of_images = row.at("figure") != "epochs" &&
                                  row.at("figure") != "run_seconds" &&
                                  row.at("figure") != "images_per_second" &&
                                  row.at("figure") != "accuracy" && row.at("figure") != "loss";
        if (!is_of_images) continue;
        ++compared;
        CHECK(row.at("first").is_number());
        CHECK(row.at("difference").is_null());
        CHECK(row.at("movement") == "not comparable: other images");
    }
    INFO(diff.dump());
    CHECK(compared == 6);  // two of the test, four of validation
    CHECK(has(output_in(store, {"diff", "a", "b"}), "not comparable: other images"));
}

TEST_CASE("a design's name means its runs alone, and only what names runs may change them",
          "[end_to_end]") {
    ImaginedStore store;
    store.finish("first", "small", kA);
    store.finish("first", "small-bn", kB);
    const std::string removed = output_in(store, {"rm", "small", "--dry-run", "--format", "csv"});
    CHECK(has(removed, "small-seed3-"));
    CHECK_FALSE(has(removed, "small-bn"));
    output_in(store, {"tag", "small", "+plain"});
    CHECK(rows(store.path(), "select count(*) from v_runs where tags = 'plain'") == "3\n");
    CHECK(rows(store.path(),
               "select count(*) from v_runs where tags = 'plain' and name like 'small-bn%'") ==
          "0\n");
    CHECK(has(output_in(store, {"diff", "small", "small-bn"}), "small"));
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"rm", "smal", "--dry-run"},
          {"tag", "smal", "+x"},
          {"rm", "s...first", "--yes"}}) {
        const Result refused = in(store, words);
        CAPTURE(refused.errors);
        CHECK(refused.exit_code == 64);
        CHECK(has(refused.errors, "only the beginning of several architectures"));
    }
    output_in(store, {"tag", "smal"});                 // a question changes nothing
    output_in(store, {"rm", "small-b", "--dry-run"});  // the beginning of one alone
    // An experiment whose name begins runs is the experiment.
    store.finish("small-b", "other", kC);
    CHECK(has(output_in(store, {"compare", "small-b", "--format", "csv"}), "other-seed1"));
}

TEST_CASE("a run whose process is gone is interrupted for every verb", "[end_to_end]") {
    ImaginedStore store;
    store.finish("first", "a", kA);
    const std::string left = store.leave("first", "left", 0.3);
    REQUIRE(rows(store.path(), "select state from v_runs where run = '" + left + "'") ==
            "running\n");
    const auto lists = [&](std::vector<std::string> words) {
        words.insert(words.end(), {"--format", "csv"});
        return output_in(store, words);
    };
    CHECK(has(lists({"ls", "--where", "state = 'interrupted'"}), left));
    CHECK(has(lists({"rm", "--where", "state = 'interrupted'", "--dry-run"}), left + ",first,int"));
    CHECK_FALSE(has(lists({"rm", "--where", "state = 'running'", "--dry-run"}), left));
    CHECK(has(lists({"export", "epochs", left}), "interrupted"));
    CHECK(has(lists({"show", left, "--columns", "epoch,state"}), "1,interrupted"));
    const std::string diff = output_in(store, {"diff", "a-seed1", left});
    CHECK(has(diff, "not tested: not finished"));
}

}  // namespace lockstep::tests
