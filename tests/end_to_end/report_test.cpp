// `lockstep report` and the report at the end of `run`: its files and its failures. Its figures are
// checked in report_figures_test.cpp.

#include <fstream>
#include <string>

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

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

TEST_CASE("A training ends with a report beside its results", "[end_to_end]") {
    for (const char* name : {"report.html", "report.md", "report.csv", "pairs.csv"}) {
        CHECK(fs::file_size(store() / "reports/smoke" / name) > 100);
    }
}

TEST_CASE("A run keeps the command line that it was started with, and its report shows it",
          "[end_to_end]") {
    const Result asked =
        lockstep({"query", "select distinct text from events where kind = 'command'", "--store",
                  store().string(), "--format", "csv"});
    const std::string command =
        "lockstep run " + smoke_file() + " --store " + store().string() + " --ranks 1 --quiet";
    CHECK(asked.output == "text\n" + command + "\n");
    const std::string html = read_text(store() / "reports/smoke/report.html");
    CHECK(html.find("<code>" + command + "</code>") != std::string::npos);
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
