// Networks trained on a data set of the user's own, in CIFAR-10's format and with names of its own:
// what they need later stands in the run, wherever the data are by then.

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

void write_text(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

// Ten records a file, with the labels 0, 1, 2 by turns; a label's images are of one brightness.
void write_data(const fs::path& folder, int brightness, const std::string& names) {
    fs::create_directories(folder);
    std::string records;
    for (int i = 0; i < 10; ++i) {
        records += static_cast<char>(i % 3);
        records += std::string(3072, static_cast<char>(brightness + 60 * (i % 3) + i));
    }
    for (const char* file : {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4",
                             "data_batch_5", "test_batch"}) {
        write_text(folder / (std::string(file) + ".bin"), records);
    }
    if (!names.empty()) write_text(folder / "batches.meta.txt", names);
}

constexpr const char* kNames = "kind0\nkind1\nkind2\n";

std::string experiment_text(const std::string& data) {
    return "schema = 1\nexperiment.name = \"own\"\n[data]\npath = \"data\"\n" + data +
           "[train]\nepochs = 1\nbatch_size = 10\n"
           "[[run]]\nname = \"a\"\nlayers = [{ type = \"flatten\" }, "
           "{ type = \"dense\", units = 3, activation = \"softmax\" }]\n";
}

// A folder with data, own.toml, and the run "a" of it in the folder store.
class Trained {
public:
    explicit Trained(const std::string& data = "") {
        write_data(folder_ / "data", 20, kNames);
        write_text(folder_ / "own.toml", experiment_text(data));
        write_text(folder_ / "picture.ppm", "P6 1 1 255 \x30\x40\x50");
        const Result result = lockstep(
            {"run", path("own.toml"), "--store", path("store"), "--ranks", "1", "--quiet"});
        INFO(result.errors);
        REQUIRE(result.exit_code == 0);
    }
    std::string path(const std::string& name) const { return (folder_ / name).string(); }
    void hide_data() const { fs::rename(folder_ / "data", folder_ / "away"); }

    Result predict(const std::vector<std::string>& more = {}) const {
        return on_run("predict", {path("picture.ppm"), "--format", "csv"}, more);
    }
    Result evaluate(const std::vector<std::string>& more = {}) const {
        return on_run("evaluate", {"--format", "csv"}, more);
    }
    Result export_onnx(const std::string& out) const {
        return on_run("export", {"--format", "onnx", "--out", path(out)}, {});
    }

private:
    Result on_run(const std::string& verb, std::vector<std::string> arguments,
                  const std::vector<std::string>& more) const {
        arguments.insert(arguments.begin(), {verb, "a", "--store", path("store")});
        arguments.insert(arguments.end(), more.begin(), more.end());
        return lockstep(arguments);
    }

    TemporaryDirectory folder_;
};

TEST_CASE("own data: predict and export need them no more", "[end_to_end][data]") {
    const std::string scale = GENERATE("unit", "raw", "standard");
    CAPTURE(scale);
    const Trained trained("scale = \"" + scale + "\"\n");
    const Result with_data = trained.predict();
    REQUIRE(with_data.exit_code == 0);
    REQUIRE(trained.export_onnx("before.onnx").exit_code == 0);
    trained.hide_data();
    const Result without = trained.predict();
    INFO(without.errors);
    CHECK(without.exit_code == 0);
    CHECK(without.errors.empty());
    CHECK(without.output == with_data.output);
    for (const char* name : {"kind0", "kind1", "kind2"}) {
        CHECK(without.output.find(name) != std::string::npos);
    }
    const Result exported = trained.export_onnx("after.onnx");
    INFO(exported.errors);
    CHECK(exported.exit_code == 0);
    CHECK(read_text(trained.path("after.onnx")) == read_text(trained.path("before.onnx")));
}

TEST_CASE("own data: evaluate still does, and says so in one line", "[end_to_end][data]") {
    const Trained trained;
    trained.hide_data();
    const Result result = trained.evaluate();
    CHECK(result.exit_code == 66);
    CHECK(result.errors.find("batch files") != std::string::npos);
    CHECK(result.errors.find('\n') == result.errors.size() - 1);
    CHECK(trained.evaluate({"--data", trained.path("away")}).exit_code == 0);
}

TEST_CASE("own data: other ones are told, and scaled as the run's", "[end_to_end][data]") {
    const Trained trained("scale = \"standard\"\n");
    const Result own = trained.evaluate();
    CHECK(own.errors.empty());
    const std::string other = trained.path("other");
    write_data(other, 60, kNames);
    const Result result = trained.evaluate({"--data", other});
    CHECK(result.exit_code == 0);
    CHECK(result.errors.find("another data set") != std::string::npos);
    // Were the scale taken anew, 40 more on each pixel would change nothing.
    CHECK(result.output != own.output);
    const Result by_name = trained.evaluate({"--dataset", "cifar10", "--data", other});
    CHECK(by_name.output == result.output);
    CHECK(by_name.errors.empty());
}

TEST_CASE("own data: names that are not taken are told by every verb", "[end_to_end][data]") {
    const TemporaryDirectory folder;
    write_data(folder / "data", 20, "kind0\nkind1\nkind1\n");
    std::string text = experiment_text("");
    text.replace(text.find("units = 3"), 9, "units = 10");
    const std::string file = (folder / "own.toml").string();
    write_text(file, text);
    const auto tells = [](const Result& result) {
        const std::string all = result.output + result.errors;
        return result.exit_code == 0 &&
               all.find("batches.meta.txt are not taken: line 3 repeats line 2") !=
                   std::string::npos;
    };
    CHECK(tells(lockstep({"validate", file})));
    CHECK(tells(lockstep({"plan", file})));
    CHECK(tells(lockstep({"run", file, "--store", (folder / "a").string(), "--ranks", "1"})));
    CHECK(tells(lockstep({"run", file, "--store", (folder / "b").string(), "--ranks", "2"})));
}

TEST_CASE("own data: their names decide how many classes there are", "[end_to_end][data]") {
    const TemporaryDirectory folder;
    const std::string file = (folder / "own.toml").string();
    write_text(file, experiment_text(""));
    const auto detail = [&] {
        const Result result = lockstep({"validate", file});
        CHECK(result.exit_code == 78);
        return result.errors;
    };
    CHECK(detail().find("there are no data in") != std::string::npos);  // so ten are supposed
    write_data(folder / "data", 20, "");
    CHECK(detail().find("has no batches.meta.txt") != std::string::npos);
    write_text(folder / "data/batches.meta.txt", kNames);
    CHECK(lockstep({"validate", file}).exit_code == 0);
    write_text(file, experiment_text("classes = [\"kind2\", \"kind9\"]\n"));
    CHECK(detail().find("batches.meta.txt") != std::string::npos);
}

TEST_CASE("Data replaced under a finished run are told; its figures stay", "[end_to_end]") {
    const Trained trained;
    const auto again = [&] {
        return lockstep(
            {"run", trained.path("own.toml"), "--store", trained.path("store"), "--ranks", "1"});
    };
    CHECK(again().errors.find("other data") == std::string::npos);
    write_data(trained.path("data"), 50, kNames);
    const std::string weights = read_text(run_folder(trained.path("store"), "a") / "final.h5");
    const Result told = again();
    CHECK(told.exit_code == 0);
    CHECK(told.errors.find("a was trained on other data than those there now") !=
          std::string::npos);
    CHECK(told.errors.find("--fresh") != std::string::npos);
    CHECK(read_text(run_folder(trained.path("store"), "a") / "final.h5") == weights);
}

TEST_CASE("A class without a sample that validates is told", "[end_to_end]") {
    const Trained trained("validation = { first = 2 }\n");
    const std::string log = log_of(trained.path("store"), "a");
    CHECK(log.find("warning: a: no sample of kind2 validates\n") != std::string::npos);
    CHECK(log.find("no sample of kind0") == std::string::npos);
}

TEST_CASE("Data replaced under an interrupted run are refused; with its own it goes on",
          "[end_to_end]") {
    const Trained trained;
    const auto command =
        lockstep_command({"run", trained.path("own.toml"), "--set", "train.epochs=4", "--store",
                          trained.path("store"), "--ranks", "1"});
    // Handing over the second checkpoint has waited for the first one.
    std::vector<std::string> killed{"/usr/bin/env", "LOCKSTEP_FAULT=epoch.end@count=3:kill"};
    killed.insert(killed.end(), command.begin(), command.end());
    CHECK(Process(killed).wait() == 128 + SIGKILL);
    write_data(trained.path("data"), 50, kNames);
    Process refused(command);
    CHECK(refused.wait() == 65);
    CHECK(refused.errors().find("its checkpoint was made with another data set") !=
          std::string::npos);
    write_data(trained.path("data"), 20, kNames);
    Process again(command);
    CHECK(again.wait() == 0);
    CHECK(again.errors().find(", resumed ") != std::string::npos);
}

TEST_CASE("A run on other data is no run of a longer list of seeds", "[end_to_end]") {
    const Trained trained;
    const auto longer = [&](const std::string& path) {
        return lockstep({"run", trained.path("own.toml"), "--set", "train.seeds=[1, 2]", "--set",
                         "data.path=" + trained.path(path), "--store", trained.path("store"),
                         "--ranks", "2"});
    };
    write_data(trained.path("other"), 50, kNames);
    const Result other = longer("other");
    INFO(other.errors);
    CHECK(other.exit_code == 0);
    CHECK(other.errors.find("the same training") == std::string::npos);
    CHECK(other.output.find("\na-seed1  finished") != std::string::npos);
    const Result own = longer("data");
    CHECK(own.errors.find("a-seed1: stored as a-") != std::string::npos);
}

}  // namespace
}  // namespace lockstep::tests
