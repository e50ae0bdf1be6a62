// `lockstep export mlflow`, read back by another program (read_mlflow.py) and compared with what
// SQL says of the store.

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "storage/exports/mlflow_files.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Json sql(const std::string& query) {
    const Result result =
        lockstep({"query", query, "--format", "json", "--store", finished_store().string()});
    INFO(result.errors);
    REQUIRE(result.exit_code == 0);
    return Json::parse(result.output);
}

std::string export_to(const fs::path& out) {
    const Result result =
        lockstep({"export", "mlflow", "--out", out.string(), "--store", finished_store().string()});
    INFO(result.errors);
    CHECK(result.exit_code == 0);
    return result.output;
}

Json read_back(const fs::path& out) {
    Process python({"python3", LOCKSTEP_READ_MLFLOW, out.string()});
    const int exit_code = python.wait();
    INFO(python.errors());
    REQUIRE(exit_code == 0);
    return Json::parse(python.output());
}

// The one run of MLflow's that stands for a run of ours.
Json run_of(const Json& experiments, const std::string& run) {
    const Json& runs = experiments.at("smoke").at("runs");
    return runs.at(storage::mlflow_run_id("smoke", run));
}

double number(const Json& point) { return std::stod(point.at(1).get<std::string>()); }

void check_curve(const Json& points, const Json& rows, const char* x, const char* y) {
    REQUIRE(points.size() == rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CHECK(points[i].at(2) == rows[i].at(x));
        CHECK(number(points[i]) == rows[i].at(y).get<double>());
    }
}

}  // namespace

TEST_CASE("mlflow: experiments, runs, settings and states read back", "[interop]") {
    const TemporaryDirectory folder;
    const fs::path out = folder / "ml runs'%";  // letters that a URI and YAML would quote
    CHECK(export_to(out).starts_with("4 runs of 1 experiments in "));
    const Json read = read_back(out);
    CHECK(read.at("Default").at("id") == "0");
    CHECK(read.at("smoke").at("runs").size() == 4);
    const Json runs = sql("select * from v_runs join runs using (run)");
    REQUIRE(runs.size() == 4);
    for (const Json& row : runs) {
        const Json run = run_of(read, row.at("run"));
        CHECK(run.at("info").at("run_name") == row.at("name"));
        CHECK(run.at("info").at("status") == "FINISHED");
        CHECK(run.at("tags").at("lockstep.run") == row.at("run"));
        CHECK(run.at("artifacts").at("effective.toml") == row.at("effective_config"));
        const Json settings = Json::parse(row.at("settings").get<std::string>());
        REQUIRE(run.at("params").size() == settings.size());
        for (const auto& [key, value] : settings.items()) {
            CAPTURE(key);
            const std::string param = run.at("params").at(key);
            if (value.is_string()) CHECK(param == value.get<std::string>());
            if (value.is_number()) CHECK(std::stod(param) == value.get<double>());
        }
    }
}

TEST_CASE("mlflow: curves by epoch and by step, and final figures read back", "[interop]") {
    const TemporaryDirectory folder;
    export_to(folder / "mlruns");
    const Json read = read_back(folder / "mlruns");
    for (const Json& row : sql("select run, test_accuracy from v_runs")) {
        const std::string run = row.at("run");
        const Json metrics = run_of(read, run).at("metrics");
        for (const char* name : {"loss", "accuracy", "val_loss", "learning_rate"}) {
            CAPTURE(name);
            const Json rows = sql(std::string("select epoch - 1 as x, ") + name +
                                  " as y from epochs where run = '" + run + "' and " + name +
                                  " is not null order by epoch");
            if (metrics.contains(name)) check_curve(metrics.at(name), rows, "x", "y");
            CHECK(metrics.contains(name) == !rows.empty());
        }
        const Json steps = sql("select step, loss from steps where run = '" + run + "'");
        REQUIRE(!steps.empty());
        check_curve(metrics.at("batch_loss"), steps, "step", "loss");
        CHECK(number(metrics.at("test_accuracy").at(0)) == row.at("test_accuracy").get<double>());
        CHECK(metrics.at("test_accuracy").at(0).at(2) == 1);  // the second epoch
        CHECK(metrics.at("batch_loss").front().at(0) == metrics.at("loss").front().at(0));
        CHECK(metrics.at("batch_loss").back().at(0) == metrics.at("loss").back().at(0));
    }
}

TEST_CASE("mlflow: a second export changes nothing but what is stale", "[interop]") {
    const TemporaryDirectory folder;
    const fs::path out = folder / "mlruns";
    export_to(out);
    const Json first = read_back(out);
    const std::string run = sql("select run from runs limit 1").at(0).at("run");
    const fs::path place =
        out / storage::mlflow_experiment_id("smoke") / storage::mlflow_run_id("smoke", run);
    std::ofstream(place / "params" / "gone") << "1";
    std::ofstream(place / "metrics" / "gone") << "1 2 3\n";
    CHECK(read_back(out) != first);
    export_to(out);
    CHECK(read_back(out) == first);
    std::ofstream(place / "tags" / "mine") << "set in MLflow";
    export_to(out);
    CHECK(run_of(read_back(out), run).at("tags").at("mine") == "set in MLflow");
}

TEST_CASE("mlflow: what cannot be written ends in its exit code", "[interop]") {
    const TemporaryDirectory folder;
    std::ofstream(folder / "file") << "in the way";
    const std::string store = finished_store().string();
    CHECK(lockstep({"export", "mlflow", "--out", (folder / "file").string(), "--store", store})
              .exit_code == 73);
    CHECK(lockstep({"export", "mlflow", "--store", store}).exit_code == 64);
    CHECK(lockstep({"export", "mlflow", "--experiment", "none", "--out",
                    (folder / "other").string(), "--store", store})
              .exit_code == 66);
    CHECK_FALSE(fs::exists(folder / "other"));
}

}  // namespace lockstep::tests
