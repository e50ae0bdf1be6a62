// `lockstep export epochs RUN --format keras`, read by Python's csv (read_training_log.py) and
// compared with what SQL says of the store.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Result in_store(std::vector<std::string> words) {
    words.insert(words.end(), {"--store", finished_store().string()});
    return lockstep(words);
}

Json read_back(const std::string& log) {
    const TemporaryDirectory folder;
    std::ofstream(folder / "training.log", std::ios::binary) << log;
    Process python({"python3", LOCKSTEP_READ_TRAINING_LOG, (folder / "training.log").string()});
    const int exit_code = python.wait();
    INFO(python.errors());
    REQUIRE(exit_code == 0);
    return Json::parse(python.output());
}

Json log_of_run(const std::string& run) {
    const Result result = in_store({"export", "epochs", run, "--format", "keras"});
    INFO(result.errors);
    REQUIRE(result.exit_code == 0);
    Json log = read_back(result.output);
    CHECK(log.at("rewritten") == true);
    return log;
}

}  // namespace

TEST_CASE("training log: every figure of a run reads back", "[interop]") {
    for (const std::string run : {"batch-normalized", "logits-seed1"}) {
        CAPTURE(run);
        const Json log = log_of_run(run);
        const bool has_top_5 = run == "batch-normalized";  // the other one has no validation
        const Result asked =
            in_store({"query",
                      "select epoch - 1 as epoch, accuracy, loss, val_accuracy, val_loss" +
                          std::string(has_top_5 ? ", val_top_5_accuracy" : "") +
                          " from v_epochs where name = '" + run + "' order by epoch",
                      "--format", "json"});
        const Json rows = Json::parse(asked.output);
        REQUIRE(rows.size() == 2);
        Json columns{"epoch", "accuracy", "loss", "val_accuracy", "val_loss"};
        if (has_top_5) columns.push_back("val_top_5_accuracy");
        CHECK(log.at("columns") == columns);
        REQUIRE(log.at("rows").size() == rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            for (const auto& [column, value] : rows[i].items())
                CHECK(log.at("rows")[i].at(column) == (value.is_null() ? Json("NA") : value));
        }
    }
}

TEST_CASE("training log: the rate is a column where it changes", "[interop]") {
    const Result asked = in_store({"query",
                                   "select name, max(key = 'train.schedule.name' and value <> "
                                   "'constant' or key = 'train.schedule.warmup_epochs' and value "
                                   "<> 0) as changes from v_settings group by name",
                                   "--format", "json"});
    const Json runs = Json::parse(asked.output);
    int changing = 0;
    for (const Json& run : runs) {
        const Json columns = log_of_run(run.at("name")).at("columns");
        const bool has_rate =
            std::find(columns.begin(), columns.end(), "learning_rate") != columns.end();
        CHECK(has_rate == (run.at("changes") == 1));
        changing += has_rate ? 1 : 0;
    }
    CHECK(changing > 0);
    CHECK(changing < static_cast<int>(runs.size()));
}

TEST_CASE("training log: it is of one run", "[interop]") {
    CHECK(in_store({"export", "epochs", "--format", "keras"}).exit_code == 64);
    CHECK(in_store({"export", "epochs", "logits", "--format", "keras"}).exit_code == 64);
    CHECK(in_store({"export", "epochs", "nobody", "--format", "keras"}).exit_code == 66);
    CHECK(in_store({"export", "epochs", "logits-seed1", "logits-seed2", "--format", "keras"})
              .exit_code == 64);
    CHECK(in_store({"export", "runs", "--format", "keras"}).exit_code == 64);
    CHECK(in_store({"export", "epochs", "logits-seed1", "--experiment", "smoke"}).exit_code == 64);
    const Result two = in_store({"export", "epochs", "logits-seed1", "batch-normalized"});
    CHECK(std::count(two.output.begin(), two.output.end(), '\n') == 5);
}

}  // namespace lockstep::tests
