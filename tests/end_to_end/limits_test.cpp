// What the limits and the environment of a process do to a training: `ulimit`, no memory, no PATH,
// no time, a clock that is set.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kShortRun = "batch-normalized";

// A checkpoint with Adam's slots, three times two million weights: 24 MB.
constexpr const char* kLongCheckpoint = R"(schema = 1
[experiment]
name = "long-checkpoint"
[data]
dataset = "synthetic"
training_samples = 16
test_samples = 16
validation = "none"
[train]
batch_size = 16
epochs = 1
[train.optimizer]
name = "adam"
[[run]]
name = "wide"
layers = [
    { type = "flatten" },
    { type = "dense", units = 640 },
    { type = "dense", units = 10 },
]
)";

// `command` by a shell that sets something before.
std::vector<std::string> after(const std::string& setting,
                               const std::vector<std::string>& command) {
    std::vector<std::string> shell{"/bin/bash", "-c", setting + "; exec \"$0\" \"$@\""};
    shell.insert(shell.end(), command.begin(), command.end());
    return shell;
}

// With a checkpoint after each of these epochs, in a process that may hold open 32 files.
void check_epochs_in_few_descriptors(int epochs) {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const std::string count = std::to_string(epochs);
    Process training(
        after("ulimit -n 32",
              lockstep_command({"run", smoke_file(), "--only", kShortRun, "--ranks", "1", "--set",
                                "train.epochs=" + count, "--store", store.string()})));
    CHECK(training.wait() == 0);
    INFO(training.errors());
    CHECK(rows(store, "select count(*), max(epoch) from epochs") == count + "," + count + "\n");
    // checkpoint, the one before, best, final, predictions, effective.toml, log.txt, lock
    const fs::path files = run_folder(store, kShortRun);
    CHECK(std::distance(fs::directory_iterator(files), fs::directory_iterator()) == 8);
    CHECK(lockstep({"fsck", "--store", store.string()}).exit_code == 0);
}

bool is_empty_of_temporary_files(const fs::path& store) {
    for (const auto& entry : fs::recursive_directory_iterator(store))
        if (entry.path().filename().string().find(".tmp.") != std::string::npos) return false;
    return true;
}

TEST_CASE("A hundred checkpoints leave no file and no descriptor behind", "[end_to_end]") {
    check_epochs_in_few_descriptors(100);
}

TEST_CASE("Five thousand checkpoints leave no file and no descriptor behind",
          "[.slow][end_to_end]") {
    check_epochs_in_few_descriptors(5000);
}

TEST_CASE("A checkpoint longer than ulimit -f allows: 74, and nothing is lost by it",
          "[end_to_end]") {
    const std::string ranks = GENERATE("1", "2");
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    std::ofstream(folder / "long.toml") << kLongCheckpoint;
    const auto command = lockstep_command({"run", (folder / "long.toml").string(), "--ranks", ranks,
                                           "--store", store.string(), "--max-restarts", "0"});
    Process limited(after("ulimit -f 12000", command));
    CHECK(limited.wait() == 74);
    INFO(limited.errors());
    CHECK(limited.errors().find("File too large") != std::string::npos);
    CHECK(is_empty_of_temporary_files(store));
    CHECK(rows(store, "select count(*) from runs where state = 'running'") == "0\n");
    Process again(command);
    CHECK(again.wait() == 0);
    CHECK(rows(store, "select state from runs") == "finished\n");
}

TEST_CASE("Files too short for Open MPI are refused before anything starts", "[end_to_end]") {
    const std::string ranks = GENERATE("1", "2");
    const TemporaryDirectory folder;
    Process refused(
        after("ulimit -f 3000", lockstep_command({"run", smoke_file(), "--ranks", ranks, "--store",
                                                  (folder / "store").string()})));
    CHECK(refused.wait() == 71);
    CHECK(refused.errors().find("ulimit -f allows 3000 KiB") != std::string::npos);
    CHECK_FALSE(fs::exists(folder / "store"));
}

TEST_CASE("The end of its CPU time is a wish to stop, told again every second", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    Process training(
        lockstep_command({"run", smoke_file(), "--only", kShortRun, "--set", "train.epochs=1000000",
                          "--ranks", "1", "--store", store.string()}));
    wait_until([&] {
        if (!training.is_running()) throw std::runtime_error(training.errors());
        return log_of(store, kShortRun).find("Epoch 3/") != std::string::npos;
    });
    training.send(SIGXCPU);
    CHECK(training.wait() == 75);
    CHECK(rows(store, "select state, cause like 'stopped on request%' from v_runs") ==
          "interrupted,1\n");
}

TEST_CASE("Without PATH Open MPI finds its programs all the same", "[end_to_end]") {
    const std::string ranks = GENERATE("1", "2");
    const TemporaryDirectory folder;
    std::vector<std::string> command =
        lockstep_command({"run", smoke_file(), "--only", kShortRun, "--ranks", ranks, "--store",
                          (folder / "store").string()});
    command.insert(command.begin(), {"/usr/bin/env", "-i"});
    Process training(command);
    CHECK(training.wait() == 0);
    INFO(training.errors());
    CHECK(rows(folder / "store", "select state from runs") == "finished\n");
}

TEST_CASE("A time limit that leaves no time for a step says so", "[end_to_end]") {
    const TemporaryDirectory folder;
    const Result stopped =
        lockstep({"run", smoke_file(), "--only", kShortRun, "--ranks", "1", "--max-walltime", "1s",
                  "--store", (folder / "store").string()});
    CHECK(stopped.exit_code == 75);
    CHECK(stopped.errors.find("time limit is over before the first step") != std::string::npos);
}

// Once, at places from the start to the first epoch; what one rank is refused ends both.
TEST_CASE("Memory that is refused to one rank ends the training with 71, and nobody waits",
          "[end_to_end]") {
    const int ranks = GENERATE(1, 2);
    int refusals = 0;
    for (const int number : {1, 17, 60, 120}) {
        CAPTURE(ranks, number);
        const TemporaryDirectory folder;
        const fs::path store = folder / "store", mark = folder / "mark";
        std::vector<std::string> command{"run",     smoke_file(), "--only",
                                         kShortRun, "--store",    store.string()};
        if (ranks == 1) command.insert(command.end(), {"--ranks", "1"});
        const auto whole = lockstep_command(command);
        const auto refused =
            preloading(LOCKSTEP_FAILING_ALLOCATION,
                       {"LOCKSTEP_TEST_ALLOCATION=" + std::string(ranks == 1 ? "4096 " : "512 ") +
                        std::to_string(number) + " " + mark.string()},
                       whole);
        Process training(ranks == 1 ? refused : mpirun_of_two(whole, refused));
        const int exit_code = training.wait();
        INFO(training.errors());
        CHECK(exit_code == (fs::exists(mark) ? 71 : 0));
        if (!fs::exists(mark)) continue;
        ++refusals;
        const std::string words = ranks == 1 ? "out of memory" : "lockstep: rank 1 (";
        CHECK(training.errors().find(words) != std::string::npos);
        CHECK(lockstep({"run", smoke_file(), "--only", kShortRun, "--ranks", "1", "--store",
                        store.string()})
                  .exit_code == 0);
        CHECK(rows(store, "select state from runs") == "finished\n");
    }
    CHECK(refusals >= 2);
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

// The system refuses an array to both ranks: at the images, and in the midst of the network.
TEST_CASE("Memory that is refused to all ranks of a machine is told once", "[end_to_end]") {
    const int number = GENERATE(1, 2, 3, 5);
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const auto refused = [&](const std::string& mark) {
        return preloading(LOCKSTEP_FAILING_ALLOCATION,
                          {"LOCKSTEP_TEST_ARRAY=20000 " + std::to_string(number) + " " +
                           (folder / mark).string()},
                          lockstep_command({"run", smoke_file(), "--only", kShortRun, "--store",
                                            store.string()}));
    };
    Process training(mpirun_of_two(refused("mark-0"), refused("mark-1")));
    CHECK(training.wait() == 71);
    CAPTURE(number);
    INFO(training.errors());
    REQUIRE((fs::exists(folder / "mark-0") || fs::exists(folder / "mark-1")));
    CHECK(count_of(training.errors(), "out of memory") == 1);
}

// What the error says of the n-th array for kernels that is refused; "" if there are fewer.
std::string words_on_refused_array(int ranks, int number) {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store", mark = folder / "mark";
    std::vector<std::string> command{"run",     smoke_file(), "--only",
                                     kShortRun, "--store",    store.string()};
    if (ranks == 1) command.insert(command.end(), {"--ranks", "1"});
    const auto whole = lockstep_command(command);
    const auto refused = preloading(
        LOCKSTEP_FAILING_ALLOCATION,
        {"LOCKSTEP_TEST_ARRAY=20000 " + std::to_string(number) + " " + mark.string()}, whole);
    Process training(ranks == 1 ? refused : mpirun_of_two(whole, refused));
    const int exit_code = training.wait();
    INFO(training.errors());
    CHECK(exit_code == (fs::exists(mark) ? 71 : 0));
    return fs::exists(mark) ? training.errors() : "";
}

TEST_CASE("An array that is refused is told with what it was for, and its size", "[end_to_end]") {
    const int ranks = GENERATE(1, 2);
    std::string all;
    int number = 1;
    for (;; ++number) {
        const std::string words = words_on_refused_array(ranks, number);
        if (words.empty()) break;
        CAPTURE(ranks, number, words);
        CHECK(words.find("out of memory: ") != std::string::npos);
        CHECK(words.find(" bytes more for ") != std::string::npos);
        if (ranks == 2) CHECK(words.find("lockstep: rank 1 (") != std::string::npos);
        all += words;
    }
    CAPTURE(all);
    CHECK(number > 5);
    for (const char* purpose : {"for the weights ", "for a slot of the optimizer ",
                                "for the pixels of ", "for the activations and their gradients of ",
                                "for the output of conv2d)", "for what kernels keep "})
        CHECK(all.find(purpose) != std::string::npos);
}

// 64 channels of 28 x 28 outputs in float32, 8,192 times.
constexpr const char* kLargeBatch = R"(schema = 1
[experiment]
name = "large-batch"
[data]
dataset = "synthetic"
training_samples = 8192
test_samples = 16
validation = "none"
[train]
batch_size = 8192
epochs = 1
[[run]]
name = "large"
layers = [
    { type = "conv2d", filters = 32, kernel_size = 3, activation = "relu" },
    { type = "conv2d", filters = 64, kernel_size = 3, activation = "relu" },
    { type = "flatten" },
    { type = "dense", units = 10 },
]
)";

TEST_CASE("A batch that ulimit -v has no room for names the layer that takes most of it",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    std::ofstream(folder / "large.toml") << kLargeBatch;
    Process refused(
        after("ulimit -v 2000000", lockstep_command({"run", (folder / "large.toml").string(),
                                                     "--ranks", "1", "--store", store.string()})));
    CHECK(refused.wait() == 71);
    INFO(refused.errors());
    CHECK(refused.errors().find("for the activations and their gradients of 8192 samples (the "
                                "largest: 1644167168 bytes for the output of conv2d_1)") !=
          std::string::npos);
    CHECK(rows(store, "select count(*) from runs where state = 'running'") == "0\n");
}

TEST_CASE("A clock that is set in a run makes no time negative and changes no order",
          "[end_to_end]") {
    const std::string jump = GENERATE("-3600", "31536000");
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const auto command =
        lockstep_command({"run", smoke_file(), "--only", kShortRun, "--set", "train.epochs=60",
                          "--ranks", "1", "--store", store.string()});
    Process training(preloading(LOCKSTEP_JUMPING_CLOCK,
                                {"LOCKSTEP_TEST_JUMP=" + (folder / "jump").string()}, command));
    wait_until([&] {
        return !training.is_running() ||
               log_of(store, kShortRun).find("Epoch 3/") != std::string::npos;
    });
    std::ofstream(folder / "jump") << jump;
    CHECK(training.wait() == 0);
    INFO(training.errors());
    CHECK(rows(store,
               "select started_utc > finished_utc, "
               "julianday(finished_utc) - julianday(started_utc) > 300 from attempts") ==
          (jump.front() == '-' ? "1,0\n" : "0,1\n"));  // else it was not set in time
    CHECK(rows(store, "select count(*), max(epoch), min(epoch_seconds) >= 0 from epochs") ==
          "60,60,1\n");
    CHECK(rows(store, "select kind from events order by rowid desc limit 1") == "finished\n");
    CHECK(lockstep({"fsck", "--store", store.string()}).exit_code == 0);
}

}  // namespace
}  // namespace lockstep::tests
