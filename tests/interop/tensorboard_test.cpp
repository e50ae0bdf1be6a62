// `lockstep export tensorboard`, read back by another program (read_tensorboard.py) and compared
// with what SQL says of the store.

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Json sql(const fs::path& store, const std::string& query) {
    const Result result = lockstep({"query", query, "--format", "json", "--store", store.string()});
    INFO(result.errors);
    REQUIRE(result.exit_code == 0);
    return Json::parse(result.output);
}

void export_to(const fs::path& out, const fs::path& store, const std::vector<std::string>& runs) {
    std::vector<std::string> words{"export", "tensorboard"};
    words.insert(words.end(), runs.begin(), runs.end());
    words.insert(words.end(), {"--out", out.string(), "--store", store.string()});
    const Result result = lockstep(words);
    INFO(result.errors);
    CHECK(result.exit_code == 0);
}

Json read_back(const fs::path& out) {
    Process python({"python3", LOCKSTEP_READ_TENSORBOARD, out.string()});
    const int exit_code = python.wait();
    INFO(python.errors());
    REQUIRE(exit_code == 0);
    return Json::parse(python.output());
}

// `points` ([step, time, value]) against rows with x and y.
void check_curve(const Json& points, const Json& rows) {
    REQUIRE(!rows.empty());
    REQUIRE(points.size() == rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CHECK(points[i].at(0) == rows[i].at("x"));
        CHECK(points[i].at(2).get<float>() == static_cast<float>(rows[i].at("y").get<double>()));
    }
}

// Trains three learning rates x two seeds, in a second. Returns the store.
fs::path train_sweep(const fs::path& folder) {
    std::ofstream(folder / "sweep.toml") << R"(
schema = 1
[experiment]
name = "rates"
[data]
dataset = "synthetic"
training_samples = 64
test_samples = 20
[train]
batch_size = 32
epochs = 1
seeds = [1, 2]
optimizer = "sgd"
[sweep]
"train.optimizer.learning_rate" = [0.001, 0.01, 0.1]
[[run]]
name = "net"
layers = [{ type = "flatten" }, { type = "dense", units = 10, activation = "softmax" }]
)";
    const Result result = lockstep({"run", (folder / "sweep.toml").string(), "--store",
                                    (folder / "store").string(), "--quiet"});
    INFO(result.errors);
    REQUIRE(result.exit_code == 0);
    return folder / "store";
}

}  // namespace

TEST_CASE("tensorboard: curves, steps and test figures read back", "[interop]") {
    const TemporaryDirectory folder;
    const fs::path& store = finished_store();
    export_to(folder / "logs", store, {});
    const Json logs = read_back(folder / "logs");
    const Json runs = sql(store, "select run, test_loss, test_accuracy from v_runs");
    REQUIRE(runs.size() == 4);
    for (const Json& row : runs) {
        const std::string run = row.at("run");
        CAPTURE(run);
        const auto rows = [&](const std::string& what) {
            return sql(store, "select " + what + " as y from epochs where run = '" + run +
                                  "' and y is not null order by epoch");
        };
        const Json& train = logs.at(run + "/train").at("scalars");
        check_curve(train.at("epoch_loss"), rows("epoch - 1 as x, loss"));
        check_curve(train.at("epoch_learning_rate"), rows("epoch - 1 as x, learning_rate"));
        check_curve(train.at("batch_loss"), sql(store,
                                                "select step as x, loss as y from steps "
                                                "where run = '" +
                                                    run + "' order by step"));
        CHECK(train.at("batch_loss").back().at(1) == train.at("epoch_loss").back().at(1));
        const Json validation = rows("epoch - 1 as x, val_accuracy");
        CHECK(logs.contains(run + "/validation") == !validation.empty());
        if (!validation.empty()) {
            check_curve(logs.at(run + "/validation").at("scalars").at("epoch_accuracy"),
                        validation);
        }
        const Json& test = logs.at(run + "/test").at("scalars");
        CHECK(test.at("epoch_accuracy")[0][2].get<float>() ==
              static_cast<float>(row.at("test_accuracy").get<double>()));
        CHECK(test.at("epoch_loss")[0][2].get<float>() ==
              static_cast<float>(row.at("test_loss").get<double>()));
        CHECK(test.at("epoch_loss")[0][0] == train.at("epoch_loss").back().at(0));
    }
}

TEST_CASE("tensorboard: HParams has the swept settings, and seeds in one group", "[interop]") {
    const TemporaryDirectory folder;
    const fs::path store = train_sweep(folder.path());
    export_to(folder / "logs", store, {});
    const Json logs = read_back(folder / "logs");
    const Json& hparams = logs.at(".").at("experiment").at("hparams");
    REQUIRE(hparams.size() == 2);
    CHECK(hparams[0].at("name") == "design");
    CHECK(hparams[1].at("name") == "optimizer.learning_rate");
    CHECK(hparams[1].at("description") == "train.optimizer.learning_rate");
    CHECK(hparams[1].at("type") == 3);  // DATA_TYPE_FLOAT64
    CHECK(hparams[1].at("values") == Json({0.001, 0.01, 0.1}));
    CHECK(hparams[1].at("differs") == true);
    std::map<std::string, std::set<double>> rates;  // of groups
    std::map<std::string, int> sizes;
    for (const Json& row : sql(store,
                               "select run, value from v_settings where key = "
                               "'train.optimizer.learning_rate'")) {
        const Json& session = logs.at(row.at("run").get<std::string>());
        const Json& start = session.at("session_start");
        CHECK(start.at("hparams").at("optimizer.learning_rate") == row.at("value"));
        CHECK(session.at("session_end").at("status") == 1);  // STATUS_SUCCESS
        CHECK(session.at("session_end").at("time") >= start.at("time"));
        rates[start.at("group")].insert(row.at("value").get<double>());
        ++sizes[start.at("group")];
    }
    REQUIRE(rates.size() == 3);
    for (const auto& [group, values] : rates) {
        CHECK(values.size() == 1);
        CHECK(sizes.at(group) == 2);
    }
}

TEST_CASE("tensorboard: every figure of HParams is a curve of a session", "[interop]") {
    const TemporaryDirectory folder;
    export_to(folder / "logs", finished_store(), {"batch-normalized"});
    const Json logs = read_back(folder / "logs");
    const Json& metrics = logs.at(".").at("experiment").at("metrics");
    CHECK(metrics.size() == 6);
    const std::string run =
        sql(finished_store(), "select run from runs where name = 'batch-normalized'")[0].at("run");
    for (const Json& metric : metrics) {
        const std::string place = run + '/' + metric.at("group").get<std::string>();
        CHECK(logs.at(place).at("scalars").contains(metric.at("tag").get<std::string>()));
    }
}

TEST_CASE("tensorboard: files of an earlier export of another start go", "[interop]") {
    const TemporaryDirectory folder;
    const fs::path& store = finished_store();
    export_to(folder / "logs", store, {});
    const Json first = read_back(folder / "logs");
    const std::string run = sql(store, "select run from runs limit 1")[0].at("run");
    for (const fs::path part : {"", "train", "test"}) {
        std::ofstream(folder / "logs" / run / part / "events.out.tfevents.1.lockstep") << "old";
    }
    std::ofstream(folder / "logs" / "notes.txt") << "mine";
    export_to(folder / "logs", store, {});
    CHECK(read_back(folder / "logs") == first);
    CHECK(fs::exists(folder / "logs" / "notes.txt"));
}

}  // namespace lockstep::tests
