// What looks into a store in other ways: filters, diff, export, tail, predict, and evaluate on
// another data set.

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Result in_store(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--store", finished_store().string()});
    return lockstep(arguments);
}

std::string output_of(const std::vector<std::string>& arguments) {
    const Result result = in_store(arguments);
    INFO(result.errors);
    CHECK(result.exit_code == 0);
    CHECK(result.errors.empty());
    return result.output;
}

Json json_of(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--format", "json"});
    return Json::parse(output_of(arguments));
}

std::size_t lines_in(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST_CASE("ls and show filter, sort and cut", "[end_to_end]") {
    const Json adam = json_of({"ls", "--where", "optimizer = 'adam' and val_accuracy >= 0",
                               "--columns", "name,val_accuracy"});
    REQUIRE(adam.size() == 1);
    CHECK(adam[0].at("name") == "batch-normalized");
    CHECK(adam[0].size() == 2);
    CHECK(output_of({"ls", "--sort", "-seed,name", "--columns", "name", "--limit", "2", "--format",
                     "csv"}) == "name\nlogits-seed2\nbatch-normalized\n");
    const Json run = json_of({"show", "batch-normalized", "--sort", "-epoch", "--columns",
                              "epoch,optimizer", "--limit", "1"});
    CHECK(run.at("epochs") == Json::parse(R"([{"epoch": 2, "optimizer": "adam"}])"));
    CHECK(run.at("attempts").size() == 1);
}

TEST_CASE("Every setting is a column of ls, compare, export and SQL", "[end_to_end]") {
    const Json by_key =
        json_of({"ls", "--where", "optimizer.name = 'adam' and conv2d.padding <> ''", "--columns",
                 "name,train.optimizer.name,optimizer.learning_rate"});
    for (const Json& run : by_key) CHECK(run.at("train.optimizer.name") == "adam");
    const Json exported = json_of({"export", "runs"});
    const Json asked = json_of(
        {"query", "select run, key, value from v_settings where key = 'train.optimizer.name'"});
    REQUIRE(exported.size() == asked.size());
    for (const Json& run : exported) {
        CHECK(run.at("train.optimizer.name") == run.at("optimizer"));
        CHECK(run.at("train.seed") == run.at("seed"));
        CHECK_FALSE(run.contains("settings"));
    }
    const Json compared = json_of({"compare", "--columns", "name,optimizer.name,test_accuracy"});
    CHECK(compared.size() == exported.size());
    CHECK(in_store({"ls", "--where", "padding = 'same'"})
              .errors.find("may mean layers.conv2d.padding") != std::string::npos);
    CHECK(in_store({"ls", "--where", "name = mine"}).errors.find("'mine'") != std::string::npos);
}

TEST_CASE("compare tells how far each run is above a baseline", "[end_to_end]") {
    const Json runs =
        json_of({"compare", "--baseline", "batch-normalized", "--where", "test_accuracy >= 0",
                 "--columns", "name,test_accuracy,above_baseline_accuracy"});
    double base = -1.0;
    for (const Json& run : runs)
        if (run.at("name") == "batch-normalized") base = run.at("test_accuracy");
    REQUIRE(base >= 0.0);
    for (const Json& run : runs) {
        const Json& above = run.at("above_baseline_accuracy");
        if (run.at("name") == "three-classes")  // tested on other images
            CHECK(above.is_null());
        else
            CHECK(above.get<double>() == run.at("test_accuracy").get<double>() - base);
    }
    CHECK(in_store({"compare", "--baseline", "nobody"}).exit_code == 64);
}

TEST_CASE("ls lists experiments", "[end_to_end]") {
    const Json experiments = json_of({"ls", "--experiments"});
    const Json runs = json_of({"export", "runs"});
    std::size_t counted = 0;
    for (const Json& each : experiments) counted += each.at("runs").get<std::size_t>();
    CHECK(counted == runs.size());
    // The accuracies of this one were measured on two test sets.
    for (const Json& each : experiments) {
        if (each.at("experiment") != "smoke") continue;
        CHECK(each.at("best_run").is_null());
        CHECK(each.at("caveat") == "2 test sets: accuracies do not compare");
    }
    CHECK(in_store({"ls", "smoke", "--experiments"}).exit_code == 64);
}

TEST_CASE("A wrong filter is an error of usage, with what was meant", "[end_to_end]") {
    const Result column = in_store({"ls", "--where", "optimzer = 'adam'"});
    CHECK(column.exit_code == 64);
    CHECK(column.errors.find("did you mean \"optimizer\"") != std::string::npos);
    CHECK(in_store({"ls", "--where", "1=1) or (1=1"}).exit_code == 64);
    CHECK(in_store({"ls", "--sort", "nmae"}).errors.find("\"name\"") != std::string::npos);
    CHECK(in_store({"ls", "--columns", "name,nmae"}).exit_code == 64);
    CHECK(in_store({"ls", "--limit", "-1"}).exit_code == 64);
    CHECK(in_store({"ls", "--where", "load_extension('x')"}).exit_code == 77);
}

TEST_CASE("compare --by architecture joins the seeds", "[end_to_end]") {
    const Json rows = json_of({"compare", "--by", "architecture"});
    REQUIRE(rows.size() == 3);
    for (const Json& row : rows) {
        CHECK(row.at("seeds") == (row.at("architecture") == "logits" ? "1 2" : "1"));
    }
    CHECK(in_store({"compare", "nobody"}).exit_code == 66);
}

TEST_CASE("who won is told below the table, as report.md has it, and to people alone",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string told = output_of({"report", "smoke", "--out", (folder / "out").string()});
    const std::size_t first = told.find("pairs.csv\n") + std::string("pairs.csv\n").size();
    const std::string verdict = told.substr(first);
    CHECK(verdict.find(" has the best test accuracy, ") != std::string::npos);
    CHECK(verdict.find("The images are synthetic: ") != std::string::npos);
    CHECK(output_of({"compare", "--experiment", "smoke", "--format", "table"}).ends_with(verdict));
    CHECK(
        output_of({"compare", "--experiment", "smoke", "--by", "architecture", "--format", "table"})
            .ends_with(verdict));
    std::istringstream lines(verdict);
    std::string markdown = read_text(folder / "out" / "report.md");
    std::erase(markdown, '\\');  // in front of brackets
    for (std::string line; std::getline(lines, line);)
        CHECK(markdown.find("\n" + line + "\n") != std::string::npos);
    CHECK(output_of({"compare", "--experiment", "smoke", "--format", "csv"}).find("best test") ==
          std::string::npos);
}

TEST_CASE("diff tells settings and figures apart, in every format", "[end_to_end]") {
    const Json seeds = json_of({"diff", "logits-seed1", "logits-seed2"});
    REQUIRE(seeds.at("settings").size() == 2);
    CHECK(seeds.at("settings")[1] ==
          Json::parse(R"({"key": "train.seed", "first": "1", "second": "2"})"));
    CHECK(seeds.at("figures")[0].at("figure") == "test_accuracy");
    const Json self = json_of({"diff", "three-classes", "three-classes"});
    CHECK(self.at("settings").empty());
    REQUIRE_FALSE(self.at("figures").empty());
    for (const Json& figure : self.at("figures")) CHECK(figure.at("movement") == "equal");
    for (const char* format : {"table", "csv", "md"}) {
        CHECK(output_of({"diff", "logits-seed1", "three-classes", "--format", format})
                  .find("train.optimizer.name") != std::string::npos);
    }
    // A name of several seeds is the architecture: means over them.
    const Json sides = json_of({"diff", "logits", "batch-normalized"});
    CHECK(sides.at("architectures")[0].at("seeds") == "1 2");
    CHECK(sides.at("architectures")[1].at("architecture") == "batch-normalized");
    const Json mean = json_of({"query",
                               "select avg(test_accuracy) as mean from v_runs where name like "
                               "'logits%'"});
    CHECK(sides.at("figures")[0].at("first").get<double>() ==
          Approx(mean[0].at("mean").get<double>()).epsilon(1e-12));
    CHECK(output_of({"diff", "logits", "batch-normalized", "--format", "table"})
              .find("logits and batch-normalized are not told apart: one seed says nothing of "
                    "others.\n") != std::string::npos);
}

TEST_CASE("export gives every row and every column of the views", "[end_to_end]") {
    Json runs = json_of({"query", "select * from v_runs order by experiment, created_utc, run"});
    const Json exported = json_of({"export", "runs"});
    REQUIRE(exported.size() == runs.size());
    for (std::size_t i = 0; i < runs.size(); ++i) {
        Json settings = Json::parse(runs[i].at("settings").get<std::string>());
        runs[i].erase("settings");
        runs[i].update(settings);
        for (const auto& [column, value] : exported[i].items())
            CHECK(value == (runs[i].contains(column) ? runs[i].at(column) : Json()));
        CHECK(exported[i].size() >= runs[i].size());
    }
    const Json epochs = json_of({"export", "epochs", "--experiment", "smoke"});
    CHECK(epochs.size() == json_of({"query", "select * from v_epochs"}).size());
    CHECK(lines_in(output_of({"export", "epochs"})) == epochs.size() + 1);
    CHECK(in_store({"export", "runs", "--experiment", "none"}).exit_code == 66);
    CHECK(in_store({"export", "runs", "--format", "md"}).exit_code == 64);
}

TEST_CASE("export tensorboard writes a file for training and one for validation", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string out = (folder / "logs").string();
    const auto files = [&] {
        std::vector<std::string> names;
        for (const auto& entry : fs::recursive_directory_iterator(out)) {
            if (entry.is_regular_file()) names.push_back(entry.path().string());
        }
        return names;
    };
    output_of({"export", "tensorboard", "--out", out});
    // HParams above all runs and in each, train and test; two of the four runs validate nothing.
    CHECK(files().size() == 15);
    const fs::path run = run_folder(finished_store(), "batch-normalized").filename();
    const fs::path training = fs::directory_iterator(fs::path(out) / run / "train")->path();
    CHECK(training.filename().string().find("tfevents") != std::string::npos);
    const std::string before = read_text(training);
    CHECK(before.find("epoch_learning_rate") != std::string::npos);
    output_of({"export", "tensorboard", "batch-normalized", "--out", out});
    CHECK(files().size() == 15);  // replaced
    CHECK(read_text(training) == before);
}

TEST_CASE("show draws curves, in ASCII where the locale is not UTF-8", "[end_to_end]") {
    const auto shown = [](const std::string& locale) {
        Process process({"env", "LC_ALL=" + locale, LOCKSTEP_BINARY, "show", "batch-normalized",
                         "--store", finished_store().string()});
        CHECK(process.wait() == 0);
        return process.output();
    };
    const std::string plain = shown("C");
    CHECK(plain.find("curves of 2 epochs\n\nloss          #_  ") != std::string::npos);
    const std::string blocks = shown("C.UTF-8");
    CHECK(blocks.find("\nloss          \u2588\u2581  ") != std::string::npos);
    CHECK(output_of({"show", "batch-normalized", "--format", "md"}).find("curves") ==
          std::string::npos);
}

TEST_CASE("run tells which of how many runs begins, and how long all take once that is known",
          "[end_to_end]") {
    std::string all;
    for (const auto& run : fs::directory_iterator(finished_store() / "runs"))
        all += read_text(run.path() / "log.txt");
    for (const std::string place : {"run 1 of 4\n", "run 2 of 4, about ", "run 4 of 4, about "})
        CHECK(all.find(place) != std::string::npos);
}

TEST_CASE("tail of a finished run prints it and ends", "[end_to_end]") {
    const std::string text = output_of({"tail", "batch-normalized"});
    CHECK(text.find("Epoch 2/2\n") != std::string::npos);
    CHECK(text.find("val_accuracy: ") != std::string::npos);
    CHECK(text.find(": finished - test_accuracy: ") != std::string::npos);
    CHECK(lines_in(text) == 5);
    CHECK(in_store({"tail", "nobody"}).exit_code == 66);
}

TEST_CASE("tail follows a training until it ends, or until Ctrl-C", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string busy = (folder / "store").string();
    Process training(
        lockstep_command({"run", smoke_file(), "--store", busy, "--ranks", "2", "--set",
                          "train.epochs=100000", "--only", "batch-normalized"}));
    wait_until([&] {
        return training.is_running() && fs::exists(folder / "store/runs") &&
               !fs::is_empty(folder / "store/runs") &&
               fs::exists(run_folder(folder / "store", "batch-normalized") / "checkpoint.h5");
    });
    const auto command = lockstep_command({"tail", "batch-normalized", "--store", busy});
    Process follower(command);
    Process other(command);
    wait_until([&] { return other.output().find("Epoch 3/100000\n") != std::string::npos; });
    other.send(SIGINT);
    CHECK(other.wait() == 0);
    CHECK(training.is_running());
    training.send(SIGTERM);
    CHECK(training.wait() == 75);
    CHECK(follower.wait() == 0);
    CHECK(follower.output().find("Epoch 1/100000\n") == 0);
    CHECK(follower.output().find(": interrupted, ") != std::string::npos);
    CHECK(follower.output().find('\r') == std::string::npos);
    CHECK(follower.errors().empty());
}

TEST_CASE("tail without a name follows all that are trained, a line an epoch with its name",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string store = (folder / "store").string();
    CHECK(lockstep({"tail", "--store", store}).exit_code == 66);
    Process training(lockstep_command({"run", smoke_file(), "--store", store, "--ranks", "2",
                                       "--set", "train.epochs=100000", "--set",
                                       "parallel.ranks_per_run=1", "--only", "logits"}));
    const auto is_begun = [&](const std::string& run) {
        return fs::exists(store + "/runs") && !fs::is_empty(store + "/runs") &&
               rows(store, "select count(*) > 1 from epochs where run like '" + run + "%'") ==
                   "1\n";
    };
    wait_until([&] { return fs::exists(store + "/lockstep.db"); });
    wait_until([&] { return is_begun("logits-seed1") && is_begun("logits-seed2"); });
    Process follower(lockstep_command({"tail", "--store", store}));
    const auto has_line_of = [&](const std::string& run) {
        return ("\n" + follower.output()).find("\n" + run + " Epoch ") != std::string::npos;
    };
    wait_until([&] { return has_line_of("logits-seed1") && has_line_of("logits-seed2"); });
    CHECK(follower.output().find("/100000 - 13/13 - ") != std::string::npos);
    training.send(SIGTERM);
    CHECK(training.wait() == 75);
    CHECK(follower.wait() == 0);
    CHECK(follower.output().find("logits-seed1-") != std::string::npos);
    CHECK(follower.output().find(": interrupted, ") != std::string::npos);
    const Result idle = lockstep({"tail", "--store", store});
    CHECK(idle.exit_code == 0);
    CHECK(idle.errors.find("nothing is trained in this store now") != std::string::npos);
}

TEST_CASE("tail and ls tell how long ago a running run's last step was", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string store = (folder / "store").string();
    std::vector<std::string> command = lockstep_command(
        {"run", smoke_file(), "--store", store, "--ranks", "1", "--only", "batch-normalized"});
    command.insert(command.begin(), {"env", "LOCKSTEP_FAULT=step.begin@step=13:hang"});
    const Process training(command);
    const auto follow = lockstep_command({"tail", "batch-normalized", "--store", store});
    wait_until(
        [&] { return log_of(store, "batch-normalized").find("Epoch 2/") != std::string::npos; });
    const fs::path log = run_folder(store, "batch-normalized") / "log.txt";
    fs::last_write_time(log, fs::file_time_type::clock::now() - std::chrono::seconds(425));
    Process follower(follow);
    wait_until([&] { return !follower.errors().empty(); });
    CHECK(follower.errors().find(": no step for 7 min\n") != std::string::npos);
    follower.send(SIGINT);
    CHECK(follower.wait() == 0);
    const Result listed =
        lockstep({"ls", "--store", store, "--columns", "state,cause", "--format", "csv"});
    CHECK(listed.output == "state,cause\nrunning,no step for 7 min\n");
}

TEST_CASE("predict names the classes of images, and the files it cannot read", "[end_to_end]") {
    const TemporaryDirectory folder;
    fs::create_directory(folder / "more");
    std::ofstream(folder / "a.ppm") << "P3 2 1 255 255 0 0 0 0 255";
    std::ofstream(folder / "more/b.pgm") << "P2 1 1 255 77";
    const std::string good = (folder / "a.ppm").string();
    const Json rows =
        json_of({"predict", "batch-normalized", folder.path().string(), "--top", "10"});
    REQUIRE(rows.size() == 20);
    double sum = 0.0;
    for (std::size_t i = 0; i < 10; ++i) {
        CHECK(rows[i].at("file") == good);
        CHECK(rows[i].at("place") == i + 1);
        sum += rows[i].at("probability").get<double>();
        if (i > 0) CHECK(rows[i].at("probability") <= rows[i - 1].at("probability"));
    }
    CHECK(sum == Approx(1.0));
    std::ofstream(folder / "empty\x1b.png") << "";
    const Result damaged = in_store(
        {"predict", "batch-normalized", folder.path().string(), "--top", "1", "--format", "csv"});
    CHECK(damaged.exit_code == 65);
    CHECK(lines_in(damaged.output) == 3);
    CHECK(damaged.errors.find("empty\\x1b.png: the file is empty") != std::string::npos);
    CHECK(in_store({"predict", "batch-normalized", (folder / "none.png").string()}).exit_code ==
          66);
    CHECK(in_store({"predict", "batch-normalized"}).exit_code == 64);
    CHECK(in_store({"predict", "batch-normalized", good, "--top", "0"}).exit_code == 64);
}

// A file of CIFAR-10 with the given labels, all pixels 0.
void write_batch(const fs::path& path, const std::string& labels) {
    std::ofstream file(path, std::ios::binary);
    for (const char label : labels) file << label << std::string(3072, '\0');
}

TEST_CASE("evaluate takes another data set by the names of its classes", "[end_to_end]") {
    const TemporaryDirectory folder;
    for (int i = 1; i <= 5; ++i) {
        write_batch(folder / ("data_batch_" + std::to_string(i) + ".bin"),
                    std::string("\0\1\2", 3));
    }
    // The names of the first three classes, in another order.
    std::ofstream(folder / "batches.meta.txt")
        << "bird\nairplane\nautomobile\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n";
    write_batch(folder / "test_batch.bin", std::string("\0\0\1\2\5", 5));
    const auto evaluated = [&](const std::string& run) {
        return json_of({"evaluate", run, "--dataset", "cifar10", "--data", folder.path().string()})
            .at(0);
    };
    const Json row = evaluated("three-classes");
    CHECK(row.at("count") == 4);  // the dog is none of its classes
    // All images are equal, so one class is the answer to all: bird has two of the four.
    const double accuracy = row.at("accuracy").get<double>();
    CHECK((accuracy == 0.5 || accuracy == 0.25));
    const std::string image = (folder / "black.ppm").string();
    std::ofstream(image) << "P3 1 1 255 0 0 0";
    const Json answer = json_of({"predict", "three-classes", image, "--top", "1"}).at(0);
    CHECK((accuracy == 0.5) == (answer.at("class") == "bird"));
    CHECK(in_store({"evaluate", "three-classes", "--dataset", "cifar10", "--data", "/nowhere"})
              .exit_code == 66);
    CHECK(in_store({"evaluate", "three-classes", "--dataset", "cifar"}).exit_code == 64);
}

}  // namespace
}  // namespace lockstep::tests
