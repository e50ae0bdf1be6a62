// `lockstep export datasette`, laid over the database by another program (read_datasette.py).

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Json read_back(const fs::path& metadata) {
    Process python({"python3", LOCKSTEP_READ_DATASETTE, (finished_store() / "lockstep.db").string(),
                    metadata.string()});
    const int exit_code = python.wait();
    INFO(python.errors());
    REQUIRE(exit_code == 0);
    return Json::parse(python.output());
}

Result export_to(const fs::path& out) {
    return lockstep(
        {"export", "datasette", "--out", out.string(), "--store", finished_store().string()});
}

}  // namespace

TEST_CASE("datasette: every table, view and column is described", "[interop]") {
    const TemporaryDirectory folder;
    REQUIRE(export_to(folder / "metadata.json").exit_code == 0);
    const Json read = read_back(folder / "metadata.json");
    CHECK(read.at("v_runs").at("rows") == 4);
    CHECK(read.at("v_epochs").at("rows") == read.at("epochs").at("rows"));
    CHECK(read.at("v_runs").at("units").at("mean_epoch_seconds") == "s");
    CHECK(read.at("artifacts").at("units").at("bytes") == "byte");
    const std::string column = read.at("epochs").at("columns").at("data_seconds");
    CHECK(column == "gathering and scaling batches [s]");
    CHECK(read.at("epochs").at("links").at("run") == "runs");
    CHECK(read.at("runs").at("links").at("experiment") == "experiments");
}

TEST_CASE("datasette: its questions have answers", "[interop]") {
    const TemporaryDirectory folder;
    REQUIRE(export_to(folder / "metadata.json").exit_code == 0);
    const Json read = read_back(folder / "metadata.json");
    CHECK(read.at("queries").at("designs") == 3);  // two of the four runs are seeds of one
    CHECK(read.at("queries").at("curves") == 2);   // epochs
    CHECK(read.at("queries").at("setting") == 4);
}

TEST_CASE("datasette: a second export is the same file; what is in the way is told", "[interop]") {
    const TemporaryDirectory folder;
    export_to(folder / "metadata.json");
    const std::string first = read_text(folder / "metadata.json");
    CHECK(export_to(folder / "metadata.json").output == (folder / "metadata.json").string() + '\n');
    CHECK(read_text(folder / "metadata.json") == first);
    CHECK(export_to(folder / "none" / "metadata.json").exit_code == 73);
    CHECK(lockstep({"export", "datasette", "--store", finished_store().string()}).exit_code == 64);
}

}  // namespace lockstep::tests
