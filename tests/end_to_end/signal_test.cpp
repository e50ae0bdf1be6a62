// What a training does with signals, one after another: in order at the first wish to stop, at once
// at the second; a hangup is a wish to stop unless it is ignored.

#include <chrono>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

// Steps of many seconds, so that nothing ends at a step's end while a test looks.
constexpr const char* kLongSteps = R"(schema = 1
[experiment]
name = "long-steps"
[data]
dataset = "synthetic"
training_samples = 512
test_samples = 16
validation = "none"
[train]
batch_size = 512
epochs = 3
[[run]]
name = "long-steps"
layers = [
    { type = "conv2d", filters = 32, kernel_size = 15, padding = "same" },
    { type = "conv2d", filters = 32, kernel_size = 15, padding = "same" },
    { type = "conv2d", filters = 32, kernel_size = 15, padding = "same" },
    { type = "flatten" },
    { type = "dense", units = 10 },
]
)";

constexpr std::chrono::milliseconds kLaterThanTheSameWish{2100};

constexpr const char* kShortSteps = "batch-normalized";

class Store {
public:
    fs::path path() const { return folder_ / "store"; }

    std::vector<std::string> long_steps(const std::string& ranks) const {
        const std::string file = (folder_ / "long.toml").string();
        std::ofstream(file) << kLongSteps;
        return lockstep_command({"run", file, "--ranks", ranks, "--store", path().string()});
    }
    // More epochs than any test waits for.
    std::vector<std::string> short_steps(const std::string& ranks) const {
        return lockstep_command({"run", smoke_file(), "--only", kShortSteps, "--set",
                                 "train.epochs=1000000", "--ranks", ranks, "--store",
                                 path().string()});
    }

    std::string log() const {
        if (!fs::exists(path() / "runs") || fs::is_empty(path() / "runs")) return "";
        return read_text(fs::directory_iterator(path() / "runs")->path() / "log.txt");
    }
    std::string one(const std::string& sql) const { return rows(path(), sql); }

private:
    TemporaryDirectory folder_;
};

void wait_for(Process& process, const std::function<bool()>& holds) {
    wait_until([&] {
        if (!process.is_running()) throw std::runtime_error("it ended: " + process.errors());
        return holds();
    });
}

void wait_for_epoch(Process& training, const Store& store, int epoch) {
    const std::string line = "Epoch " + std::to_string(epoch) + "/";
    wait_for(training, [&] { return store.log().find(line) != std::string::npos; });
}

bool has_said(const Process& process, const std::string& text) {
    return process.errors().find(text) != std::string::npos;
}

// Whether a process has a handler for the signal, of the kernel's own knowledge.
bool is_caught(pid_t process, int signal_number) {
    const std::string status = read_text("/proc/" + std::to_string(process) + "/status");
    const std::size_t place = status.find("SigCgt:");
    if (place == std::string::npos) throw std::runtime_error("no status of the process");
    const std::uint64_t caught = std::stoull(status.substr(place + 7), nullptr, 16);
    return ((caught >> (signal_number - 1)) & 1U) != 0;
}

TEST_CASE("One rank: a second signal ends the training in the midst of a step", "[end_to_end]") {
    const Store store;
    const int signal_number = GENERATE(SIGINT, SIGTERM);
    Process training(store.long_steps("1"));
    wait_for_epoch(training, store, 1);
    CHECK(is_caught(training.pid(), signal_number));
    training.send(signal_number);
    training.send(SIGUSR1);  // at once: the same wish, told again
    std::this_thread::sleep_for(kLaterThanTheSameWish);
    CHECK(training.is_running());  // the step goes on
    training.send(signal_number);
    CHECK(training.wait() == 128 + signal_number);
    CHECK(store.one("select count(*) from attempts where cause like 'stopped%'") == "0\n");
}

TEST_CASE("Several ranks: a second signal ends the training in the midst of a step",
          "[end_to_end]") {
    const Store store;
    const int second = GENERATE(SIGINT, SIGTERM);
    Process training(store.long_steps("2"));
    wait_for_epoch(training, store, 1);
    REQUIRE(ranks_on(store.path()).size() == 2);
    training.send(SIGINT);
    wait_for(training, [&] { return has_said(training, "stopping after this step"); });
    training.send(second);  // at once: the same wish, told again
    std::this_thread::sleep_for(kLaterThanTheSameWish);
    CHECK_FALSE(has_said(training, "stopping at once"));
    training.send(second);
    CHECK(training.wait() == 75);
    CHECK(has_said(training, "stopping at once"));
    // Had they come to the step's end, they would have told the cause.
    CHECK(store.one("select count(*) from attempts where cause like 'stopped%'") == "0\n");
    wait_until([&] { return ranks_on(store.path()).empty(); });
}

TEST_CASE("A hangup is a wish to stop", "[end_to_end]") {
    const Store store;
    const std::string ranks = GENERATE("1", "2");
    Process training(store.short_steps(ranks));
    wait_for_epoch(training, store, 3);
    training.send(SIGHUP);
    CHECK(training.wait() == 75);
    CHECK(store.one("select state, cause like 'stopped on request%' from v_runs") ==
          "interrupted,1\n");
}

TEST_CASE("Under nohup a hangup does not end a training; a wish to stop does", "[end_to_end]") {
    const Store store;
    const std::string ranks = GENERATE("1", "2");
    std::vector<std::string> command = store.short_steps(ranks);
    command.insert(command.begin(), "nohup");
    Process training(command);
    wait_for_epoch(training, store, 3);
    training.send(SIGHUP);
    const std::string before = store.one("select max(epoch) from epochs");
    wait_for_epoch(training, store, std::stoi(before) + 3);
    CHECK(training.is_running());
    training.send(SIGTERM);
    CHECK(training.wait() == 75);
    CHECK(store.one("select state from runs") == "interrupted\n");
}

}  // namespace
}  // namespace lockstep::tests
