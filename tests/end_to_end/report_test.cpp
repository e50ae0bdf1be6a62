// `lockstep report` and the report at the end of `run`: its files, its figures, its failures.

#include <cstddef>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Result run_smoke(const fs::path& store) {
    return lockstep({"run", smoke_file(), "--store", store.string(), "--ranks", "1", "--quiet"});
}

// One trained store for all tests of this file.
const fs::path& store() {
    static const TemporaryDirectory folder;
    static const fs::path path = [] {
        REQUIRE(run_smoke(folder / "store").exit_code == 0);
        return folder / "store";
    }();
    return path;
}

// Of a line of CSV; none of ours has a quote inside of a quoted field.
std::vector<std::string> fields(const std::string& line) {
    std::vector<std::string> result{""};
    bool is_quoted = false;
    for (const char byte : line) {
        if (byte == '"') {
            is_quoted = !is_quoted;
        } else if (byte == ',' && !is_quoted) {
            result.emplace_back();
        } else {
            result.back() += byte;
        }
    }
    return result;
}

// The rows of a CSV file, by the first column.
std::map<std::string, std::map<std::string, std::string>> csv_rows(const fs::path& path) {
    std::istringstream text(read_text(path));
    std::string line;
    std::getline(text, line);
    const auto columns = fields(line);
    std::map<std::string, std::map<std::string, std::string>> rows;
    while (std::getline(text, line)) {
        const auto values = fields(line);
        REQUIRE(values.size() == columns.size());
        for (std::size_t i = 0; i < values.size(); ++i) rows[values[0]][columns[i]] = values[i];
    }
    return rows;
}

TEST_CASE("A training ends with a report beside its results", "[end_to_end]") {
    for (const char* name : {"report.html", "report.md", "report.csv", "pairs.csv"}) {
        CHECK(fs::file_size(store() / "reports/smoke" / name) > 100);
    }
}

TEST_CASE("Every figure of the report is that of a query on the database", "[end_to_end]") {
    const Json rows = Json::parse(
        lockstep({"query",
                  "select run, name, test_accuracy, test_loss, best_val_accuracy, parameters, "
                  "images_per_second from v_compare",
                  "--store", store().string(), "--format", "json"})
            .output);
    const auto reported = csv_rows(store() / "reports/smoke/report.csv");
    const std::string html = read_text(store() / "reports/smoke/report.html");
    REQUIRE(reported.size() == rows.size());
    for (const Json& row : rows) {
        const auto& fields_of_run = reported.at(row.at("run"));
        for (const char* figure : {"test_accuracy", "test_loss", "parameters"}) {
            CAPTURE(figure);
            CHECK(std::stod(fields_of_run.at(figure)) == row.at(figure).get<double>());
        }
        if (!row.at("best_val_accuracy").is_null()) {
            CHECK(std::stod(fields_of_run.at("best_val_accuracy")) ==
                  row.at("best_val_accuracy").get<double>());
        }
        CHECK(std::stod(fields_of_run.at("images_per_second")) ==
              Approx(row.at("images_per_second").get<double>()));
        CHECK(html.find(row.at("name").get<std::string>()) != std::string::npos);
    }
}

TEST_CASE("A report goes where it is told to, and an unknown experiment is an error of 66",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const Result result =
        lockstep({"report", "--store", store().string(), "--out", (folder / "a/b").string()});
    CHECK(result.exit_code == 0);
    CHECK(result.output.find("report.html") != std::string::npos);
    CHECK(fs::exists(folder / "a/b/report.md"));
    const Result unknown = lockstep({"report", "nothing", "--store", store().string()});
    CHECK(unknown.exit_code == 66);
    CHECK(unknown.errors.find("smoke") != std::string::npos);
}

TEST_CASE("A damaged file is named in the report and does not end it", "[end_to_end]") {
    const TemporaryDirectory folder;
    fs::copy(store(), folder / "store", fs::copy_options::recursive);
    std::ofstream(run_folder(folder / "store", "three-classes") / "predictions.h5") << "torn";
    const Result result = lockstep({"report", "--store", (folder / "store").string()});
    CHECK(result.exit_code == 0);
    const std::string html = read_text(folder / "store/reports/smoke/report.html");
    CHECK(html.find("predictions.h5 is not the one that the run database knows") !=
          std::string::npos);
}

TEST_CASE("A report that cannot be written does not fail the training", "[end_to_end]") {
    const TemporaryDirectory folder;
    fs::create_directories(folder / "store");
    std::ofstream(folder / "store/reports") << "in the way";
    const Result result = run_smoke(folder / "store");
    CHECK(result.exit_code == 0);
    CHECK(result.errors.find("no report was written") != std::string::npos);
}

}  // namespace
}  // namespace lockstep::tests
