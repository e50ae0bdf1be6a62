// One training is trained once and counted once, whatever list of seeds asks for it.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// An experiment of one small run; the rest of the name of its store and file is its folder's.
class Experiment {
public:
    std::string file(const std::string& seeds, int epochs = 1, int data_seed = 1,
                     const std::string& name = "e") const {
        return write("[train]\nepochs = " + std::to_string(epochs) + "\nseeds = " + seeds,
                     data_seed, name);
    }
    std::string write(const std::string& train, int data_seed = 1,
                      const std::string& name = "e") const {
        const fs::path path = folder_ / "exp.toml";
        std::ofstream(path) << "schema = 1\n[experiment]\nname = \"" << name
                            << "\"\n[data]\n"
                               "dataset = \"synthetic\"\ntraining_samples = 64\n"
                               "test_samples = 50\nvalidation = \"none\"\nseed = "
                            << data_seed << "\n"
                            << train
                            << "\n[[run]]\nname = \"x\"\nlayers = [{ type = \"flatten\" }, "
                               "{ type = \"dense\", units = 10 }]\n";
        return path.string();
    }
    std::vector<std::string> run(const std::string& path, int ranks = 1) const {
        return {"run", path, "--store", store(), "--ranks", std::to_string(ranks)};
    }
    Json query(const std::string& sql) const { return json({"query", sql}); }
    Json json(std::vector<std::string> arguments) const {
        arguments.insert(arguments.end(), {"--store", store(), "--format", "json"});
        const Result result = lockstep(arguments);
        INFO(result.errors);
        CHECK(result.exit_code == 0);
        return Json::parse(result.output);
    }
    std::string store() const { return (folder_ / "store").string(); }

private:
    TemporaryDirectory folder_;
};

Result trained(const std::vector<std::string>& arguments) {
    Result result = lockstep(arguments);
    INFO(result.errors);
    CHECK(result.exit_code == 0);
    return result;
}

TEST_CASE("A longer list of seeds trains the new ones alone", "[end_to_end]") {
    const Experiment experiment;
    trained(experiment.run(experiment.file("[1]")));
    const std::string longer = experiment.file("[1, 2, 3]");
    const Result planned = lockstep({"run", longer, "--dry-run", "--store", experiment.store()});
    CHECK(planned.output.find("note: x-seed1: stored as x-") != std::string::npos);
    for (const int ranks : {2, 1}) {
        const Result result = trained(experiment.run(longer, ranks));
        CHECK(result.errors.find("x-seed1: stored as x-") != std::string::npos);
        CHECK(result.output.find("\nx        finished") != std::string::npos);
        CHECK(result.output.find("\nx-seed3  finished") != std::string::npos);
    }
    CHECK(experiment.query("select count(*) as n from attempts")[0].at("n") == 3);
    const Json compared = experiment.json({"compare", "--by", "architecture"});
    REQUIRE(compared.size() == 1);
    CHECK(compared[0].at("seeds") == "1 2 3");
    CHECK(compared[0].at("not_counted").is_null());
}

TEST_CASE("A shorter list of seeds trains nothing", "[end_to_end]") {
    const Experiment experiment;
    trained(experiment.run(experiment.file("[1, 2]")));
    const Result result = trained(experiment.run(experiment.file("[2]")));
    CHECK(result.errors.find("x: stored as x-seed2-") != std::string::npos);
    CHECK(result.errors.find("x-seed2: finished already") != std::string::npos);
    CHECK(experiment.query("select count(*) as n from attempts")[0].at("n") == 2);
}

TEST_CASE("Each experiment has its own runs", "[end_to_end]") {
    const Experiment experiment;
    trained(experiment.run(experiment.file("[1]", 1, 1, "first")));
    trained(experiment.run(experiment.file("[1, 2]", 1, 1, "second")));
    CHECK(experiment.query("select run from runs where experiment = 'first'").size() == 1);
    const Json compared =
        experiment.json({"compare", "--by", "architecture", "--experiment", "second"});
    REQUIRE(compared.size() == 1);
    CHECK(compared[0].at("seeds") == "1 2");
}

TEST_CASE("Swept seeds are one architecture", "[end_to_end]") {
    const Experiment experiment;
    trained(experiment.run(
        experiment.write("[train]\nepochs = 1\n[sweep]\n\"train.seed\" = [1, 2, 3]")));
    const Json compared = experiment.json({"compare", "--by", "architecture"});
    REQUIRE(compared.size() == 1);
    CHECK(compared[0].at("seeds") == "1 2 3");
    trained(experiment.run(experiment.file("[1, 2, 3]")));  // the same runs
    CHECK(experiment.query("select count(*) as n from attempts")[0].at("n") == 3);
}

TEST_CASE("An interrupted run is resumed under the name it has", "[end_to_end]") {
    const Experiment experiment;
    Process training(lockstep_command(experiment.run(experiment.file("[1]", 200))));
    wait_until([&] {
        return !training.is_running() ||
               (fs::exists(fs::path(experiment.store()) / "runs") &&
                !fs::is_empty(fs::path(experiment.store()) / "runs") &&
                read_text(run_folder(experiment.store(), "x") / "log.txt").find("Epoch 2/") !=
                    std::string::npos);
    });
    training.send(SIGTERM);
    REQUIRE(training.wait() == 75);
    auto again = experiment.run(experiment.file("[1, 2]", 200));
    again.insert(again.end(), {"--only", "x-seed1"});
    trained(again);
    const Json rows = experiment.query(
        "select run, name, state, attempts, (select count(*) from epochs) as epochs from v_runs");
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].at("name") == "x");
    CHECK(read_text(run_folder(experiment.store(), "x") / "effective.toml").find("name = \"x\"") !=
          std::string::npos);
    CHECK(rows[0].at("state") == "finished");
    CHECK(rows[0].at("attempts") == 2);
    CHECK(rows[0].at("epochs") == 200);
    CHECK(experiment.query("select * from events where kind = 'resumed'").size() == 1);
}

TEST_CASE("Seeds on other data are told apart in words, in compare, report and CSV",
          "[end_to_end]") {
    const Experiment experiment;
    trained(experiment.run(experiment.file("[1, 2]", 1, 1)));
    trained(experiment.run(experiment.file("[1, 2]", 1, 2)));
    const Json compared = experiment.json({"compare", "--by", "architecture"});
    REQUIRE(compared.size() == 2);
    CHECK(compared[0].at("test_set") != compared[1].at("test_set"));
    CHECK(compared[0].at("architecture") != compared[1].at("architecture"));
    const fs::path report = fs::path(experiment.store()) / "reports/e";
    for (const char* file : {"report.html", "report.md", "report.csv"}) {
        const std::string text = read_text(report / file);
        for (const Json& row : compared) {
            CAPTURE(file);
            CHECK(text.find(row.at("test_set").get<std::string>()) != std::string::npos);
        }
    }
    // Two test sets: no pair, no test.
    const std::string markdown = read_text(report / "report.md");
    for (const char* word : {"Welch", "## Pairs"}) {
        CAPTURE(word);
        CHECK(markdown.find(word) == std::string::npos);
    }
    const Json first = experiment.query("select run from v_runs where seed = 1");
    const Json diff = experiment.json({"diff", first[0].at("run"), first[1].at("run")});
    CHECK(diff.dump().find("data_digest") != std::string::npos);
}

}  // namespace
}  // namespace lockstep::tests
