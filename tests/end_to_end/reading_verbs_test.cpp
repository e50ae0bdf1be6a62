// What reads: the store's verbs in every format, while a training goes on too; evaluate; the verbs
// that need no store.

#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Result read(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--store", finished_store().string()});
    Result result = lockstep(arguments);
    INFO(result.errors);
    CHECK(result.exit_code == 0);
    CHECK(result.errors.empty());
    return result;
}

Json read_json(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--format", "json"});
    return Json::parse(read(arguments).output);
}

std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> result;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) result.push_back(line);
    return result;
}

TEST_CASE("ls, compare and query give every run, in JSON, CSV and Markdown", "[end_to_end]") {
    for (const std::vector<std::string>& verb : {std::vector<std::string>{"ls"},
                                                 {"ls", "smoke"},
                                                 {"compare"},
                                                 {"query", "select * from v_runs"}}) {
        const Json rows = read_json(verb);
        CHECK(rows.size() == 4);
        for (const Json& row : rows) CHECK(row.at("state") == "finished");
        for (const char* format : {"csv", "md", "table"}) {
            auto arguments = verb;
            arguments.insert(arguments.end(), {"--format", format});
            const auto text = lines(read(arguments).output);
            const std::size_t header = std::string(format) == "csv" ? 1 : 2;
            REQUIRE(text.size() >= 4 + header);
            for (std::size_t i = 0; i < 4; ++i)
                CHECK(text[header + i].find("finished") != std::string::npos);
            // What people are told below is no row.
            const bool is_whole = std::string(format) == "csv" || verb.front() == "query";
            if (is_whole) CHECK(text.size() == 4 + header);
        }
    }
}

TEST_CASE("compare sets the figures of the end beside each other", "[end_to_end]") {
    const Json rows = read_json({"compare", "three-classes", "batch-normalized"});
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].at("name") == "three-classes");
    CHECK(rows[0].at("selected_on") == "test set");
    CHECK(rows[0].at("parameters") == 1507);
    CHECK(rows[1].at("selected_on").is_null());
    CHECK(rows[1].at("parameters") == 5386);
    CHECK(rows[1].at("images_per_second").get<double>() > 0);
    CHECK(read_json({"compare", "--experiment", "smoke"}).size() == 4);
}

TEST_CASE("show has everything of a run, found by name or by the beginning of its id",
          "[end_to_end]") {
    const std::string id = run_folder(finished_store(), "batch-normalized").filename().string();
    const Json run = read_json({"show", "batch-normalized"});
    CHECK(run == read_json({"show", id.substr(0, id.size() - 4)}));
    CHECK(run.at("epochs").size() == 2);
    CHECK(run.at("attempts").size() == 1);
    CHECK(run.at("configuration").at(0).at("toml").get<std::string>().find("# smoke.toml:") !=
          std::string::npos);
    for (const Json& artifact : run.at("artifacts")) {
        const fs::path file = finished_store() / artifact.at("path").get<std::string>();
        CHECK(static_cast<std::int64_t>(fs::file_size(file)) == artifact.at("bytes"));
    }
    CHECK(lines(read({"show", id, "--format", "csv"}).output).size() == 3);
    CHECK(read({"show", id, "--all"}).output.find("train.batch_size = 16") != std::string::npos);
}

TEST_CASE("A finished run is skipped, and its files are left alone", "[end_to_end]") {
    const fs::path weights = run_folder(finished_store(), "logits-seed1") / "final.h5";
    const auto written = fs::last_write_time(weights);
    const Result again =
        lockstep({"run", smoke_file(), "--store", finished_store().string(), "--ranks", "2"});
    CHECK(again.exit_code == 0);
    CHECK(again.errors.find("logits-seed1: finished already") != std::string::npos);
    CHECK(again.errors.find("Epoch") == std::string::npos);
    CHECK(fs::last_write_time(weights) == written);
    CHECK(read_json({"query", "select count(*) as n from attempts"}).at(0).at("n") == 4);
}

TEST_CASE("evaluate gives the figures of the training, from a run, our file or a bare one",
          "[end_to_end]") {
    const Json stored = read_json({"query",
                                   "select test_loss, test_accuracy from v_runs where name = "
                                   "'three-classes'"});
    const fs::path folder = run_folder(finished_store(), "three-classes");
    const TemporaryDirectory elsewhere;
    const fs::path bare = elsewhere / "bare.h5";
    fs::copy_file(folder / "final.h5", bare);
    const std::vector<std::vector<std::string>> subjects{
        {"evaluate", "three-classes"},
        {"evaluate", (folder / "final.h5").string()},
        {"evaluate", bare.string(), "--file", smoke_file(), "--run", "three-classes"}};
    for (const auto& subject : subjects) {
        const Json row = read_json(subject).at(0);
        CHECK(row.at("count") == 15);  // three of ten classes, 5 each
        CHECK(row.at("loss") == stored.at(0).at("test_loss"));
        CHECK(row.at("accuracy") == stored.at(0).at("test_accuracy"));
    }
    CHECK(read_json({"evaluate", "batch-normalized", "--split", "validation"}).at(0).at("count") ==
          43);
    // It has its network, but does not say which three classes it is for.
    const Result nameless =
        lockstep({"evaluate", bare.string(), "--store", finished_store().string()});
    CHECK(nameless.exit_code == 64);
    CHECK(nameless.errors.find("and 3 classes") != std::string::npos);
    CHECK(nameless.errors.find("--file") != std::string::npos);
    const fs::path weights = elsewhere / "bare.weights.h5";
    CHECK(lockstep({"export", "three-classes", "--store", finished_store().string(), "--format",
                    "keras-weights", "--out", weights.string()})
              .exit_code == 0);
    const Result unknown =
        lockstep({"evaluate", weights.string(), "--store", finished_store().string()});
    CHECK(unknown.exit_code == 64);
    CHECK(unknown.errors.find("--file") != std::string::npos);
}

TEST_CASE("The reading verbs work while a training writes", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string busy = (folder / "store").string();
    Process training(
        lockstep_command({"run", smoke_file(), "--store", busy, "--ranks", "2", "--set",
                          "train.epochs=100000", "--only", "batch-normalized"}));
    wait_until([&] {
        return training.is_running() && fs::exists(folder / "store/runs") &&
               !fs::is_empty(folder / "store/runs") &&
               read_text(run_folder(folder / "store", "batch-normalized") / "log.txt")
                       .find("Epoch 2/") != std::string::npos;
    });
    for (const std::vector<std::string>& verb : {std::vector<std::string>{"ls"},
                                                 {"compare"},
                                                 {"show", "batch-normalized"},
                                                 {"query", "select count(*) from v_epochs"}}) {
        auto arguments = verb;
        arguments.insert(arguments.end(), {"--store", busy, "--format", "json"});
        const Result result = lockstep(arguments);
        INFO(result.errors);
        CHECK(result.exit_code == 0);
        CHECK_FALSE(Json::parse(result.output).empty());
    }
    CHECK(training.is_running());
    training.send(SIGTERM);
    CHECK(training.wait() == 75);
}

TEST_CASE("validate, plan, summary and --dry-run need no store and make none", "[end_to_end]") {
    const Result validated = lockstep({"validate", smoke_file()});
    CHECK(validated.exit_code == 0);
    CHECK(validated.output.find("OK, 4 runs") != std::string::npos);
    const Result planned = lockstep({"plan", smoke_file(), "--format", "json"});
    CHECK(Json::parse(planned.output).size() == 4);
    CHECK(lockstep({"summary", smoke_file()}).output.find("Total params: 5,386") !=
          std::string::npos);
    const TemporaryDirectory folder;
    const std::string nowhere = (folder / "store").string();
    CHECK(lockstep({"run", smoke_file(), "--dry-run", "--store", nowhere}).exit_code == 0);
    CHECK_FALSE(fs::exists(nowhere));
}

TEST_CASE("A full standard output is an error of 74, not silence", "[end_to_end]") {
    const std::string binary = lockstep_command({}).front();
    Process process({"sh", "-c", "\"$0\" plan \"$1\" > /dev/full", binary, smoke_file()});
    CHECK(process.wait() == 74);
}

}  // namespace
}  // namespace lockstep::tests
