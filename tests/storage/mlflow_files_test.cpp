#include "storage/exports/mlflow_files.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;

std::string text_in(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("mlflow: ids are digits and hex, and functions of the names alone", "[storage]") {
    // Python's hashlib: d = sha256(b"smoke").hexdigest(); 10**17 + int(d[:16], 16) % (9 * 10**17)
    CHECK(mlflow_experiment_id("smoke") == "448334952753398317");
    CHECK(mlflow_experiment_id("smoke") != mlflow_experiment_id("smoke2"));
    CHECK(mlflow_run_id("smoke", "a-1") == "8f9132aa25aaddd9bb8bb3585d9a8c0d");
    CHECK(mlflow_run_id("smoke", "a-1") != mlflow_run_id("other", "a-1"));
}

TEST_CASE("mlflow: texts are cut between letters, and are UTF-8", "[storage]") {
    const tests::TemporaryDirectory folder;
    MlflowRun run{.id = "r", .experiment_id = "e", .name = "n"};
    run.params["exact"] = std::string(6000, 'x');
    run.params["long"] = std::string(6001, 'x');
    std::string umlauts;
    for (int i = 0; i < 4000; ++i) umlauts += "\u00e4";  // 2 bytes each
    run.params["umlauts"] = umlauts;
    run.params["bad bytes"] = "a\xff";
    run.params["../a/b"] = "1";
    write_mlflow_run(folder.path(), run);
    const fs::path params = folder / "e" / "r" / "params";
    CHECK(text_in(params / "exact") == std::string(6000, 'x'));
    CHECK(text_in(params / "long") == std::string(5997, 'x') + "...");
    CHECK(text_in(params / "umlauts") == umlauts.substr(0, 5996) + "...");
    CHECK(text_in(params / "bad bytes") == "a\ufffd");
    CHECK(text_in(params / ".._a_b") == "1");
}

TEST_CASE("mlflow: figures that are no numbers stand as Python reads them", "[storage]") {
    const tests::TemporaryDirectory folder;
    MlflowRun run{.id = "r", .experiment_id = "e", .name = "n"};
    const double infinity = std::numeric_limits<double>::infinity();
    run.metrics["loss"] = {{1, std::nan(""), 0}, {2, -infinity, 1}, {3, 0.1, 2}};
    write_mlflow_run(folder.path(), run);
    CHECK(text_in(folder / "e" / "r" / "metrics" / "loss") == "1 nan 0\n2 -inf 1\n3 0.1 2\n");
}

}  // namespace lockstep::storage
