// A run is never lost: whatever ends it, the same command goes on and ends with the same bytes.

#include <csignal>
#include <ctime>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRun = "batch-normalized";

// Long enough to be ended in its midst, with checkpoints within epochs too.
std::vector<std::string> arguments(const fs::path& store, const std::string& ranks) {
    return {"run",
            smoke_file(),
            "--only",
            kRun,
            "--set",
            "train.epochs=120",
            "--set",
            "checkpoint.every_minutes=0.0001",
            "--store",
            store.string(),
            "--ranks",
            ranks,
            "--max-restarts",
            "0"};
}

// Of the run's last event of this kind.
std::string event_of(const fs::path& store, const std::string& kind) {
    const Result result = lockstep(
        {"query", "select text from events where kind = '" + kind + "' order by utc desc limit 1",
         "--store", store.string(), "--format", "csv"});
    return result.output.substr(result.output.find('\n') + 1);
}

std::string state_of(const fs::path& store) {
    const Result result =
        lockstep({"query", "select state from runs", "--store", store.string(), "--format", "csv"});
    CHECK(result.exit_code == 0);
    return result.output;
}

// Waits for a few epochs, does `end` to the training, and waits for its end.
template <class End>
int train_and_end(const fs::path& store, End end) {
    Process training(lockstep_command(arguments(store, "2")));
    wait_until([&] {
        if (!training.is_running()) throw std::runtime_error(training.errors());
        return log_of(store, kRun).find("Epoch 3/120") != std::string::npos;
    });
    end(training);
    const int exit_code = training.wait();
    // The next start must not meet ranks that are still ending.
    wait_until([&] { return processes_with(store.string(), "--as-rank").empty(); });
    return exit_code;
}

// Of a run that nothing ended; trained once.
const std::string& expected_weights() {
    static const std::string bytes = [] {
        const TemporaryDirectory folder;
        CHECK(lockstep(arguments(folder / "store", "1")).exit_code == 0);
        return read_text(run_folder(folder / "store", kRun) / "final.h5");
    }();
    return bytes;
}

Result resume(const fs::path& store, const std::string& ranks) {
    const Result result = lockstep(arguments(store, ranks));
    INFO(result.errors);
    CHECK(result.exit_code == 0);
    CHECK(result.errors.find(", resumed ") != std::string::npos);
    CHECK(state_of(store) == "state\nfinished\n");
    return result;
}

void check_epochs(const fs::path& store) {
    const Result result = lockstep({"query",
                                    "select count(*), count(distinct epoch), max(epoch), "
                                    "min(training_count), max(training_count) from epochs",
                                    "--store", store.string(), "--format", "csv"});
    CHECK(result.output.substr(result.output.find('\n')) == "\n120,120,120,160,160\n");
}

TEST_CASE("After a stop on request the run resumes, on other ranks, to the same bytes",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const int signal_number = GENERATE(SIGINT, SIGTERM, SIGUSR1);
    CHECK(train_and_end(store, [&](Process& training) { training.send(signal_number); }) == 75);
    CHECK(state_of(store) == "state\ninterrupted\n");
    resume(store, "1");
    CHECK(read_text(run_folder(store, kRun) / "final.h5") == expected_weights());
    check_epochs(store);
}

TEST_CASE("A stop loses no step", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    CHECK(train_and_end(store, [](Process& training) { training.send(SIGUSR1); }) == 75);
    const std::string told = event_of(store, "interrupted");
    CHECK(told.starts_with("stopped on request "));
    resume(store, "2");
    CHECK("stopped on request " + event_of(store, "resumed") == told);
    check_epochs(store);
}

// Six seconds from now, as their user or Slurm says it.
std::vector<std::string> limited(std::vector<std::string> arguments, bool is_by_slurm) {
    arguments.insert(arguments.end(), {"--set", "train.epochs=100000"});
    if (!is_by_slurm) arguments.insert(arguments.end(), {"--max-walltime", "6s"});
    std::vector<std::string> command = lockstep_command(arguments);
    const auto end = std::to_string(std::time(nullptr) + 6);
    if (is_by_slurm) command.insert(command.begin(), {"env", "SLURM_JOB_END_TIME=" + end});
    return command;
}

TEST_CASE("A run stops in time before its time limit, and goes on from that step", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const std::string ranks = GENERATE("1", "2");
    const bool is_by_slurm = GENERATE(false, true);
    CHECK(run_to_end(limited(arguments(store, ranks), is_by_slurm)).exit_code == 75);
    const std::string told = event_of(store, "interrupted");
    CHECK(told.starts_with("stopped by its time limit "));
    CHECK(run_to_end(limited(arguments(store, ranks), is_by_slurm)).exit_code == 75);
    CHECK("stopped by its time limit " + event_of(store, "resumed") == told);
}

void check_resumes_on_three_ranks(const fs::path& store) {
    resume(store, "3");
    CHECK(read_text(run_folder(store, kRun) / "final.h5") == expected_weights());
    check_epochs(store);
}

TEST_CASE("After SIGKILL of a rank the run resumes to the same bytes", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const int exit_code = train_and_end(store, [&](Process& training) {
        const std::vector<pid_t> ranks = ranks_on(store);
        REQUIRE(ranks.size() == 2);
        ::kill(ranks.back(), SIGKILL);
        training.wait();
        CHECK(training.errors().find("was killed by signal 9") != std::string::npos);
    });
    CHECK(exit_code == 128 + SIGKILL);
    check_resumes_on_three_ranks(store);
}

TEST_CASE("After SIGKILL of what was started the run resumes to the same bytes", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const int exit_code = train_and_end(store, [&](Process& training) {
        REQUIRE(ranks_on(store).size() == 2);  // they end by themselves: train_and_end waits
        training.send(SIGKILL);
    });
    CHECK(exit_code == 128 + SIGKILL);
    check_resumes_on_three_ranks(store);
}

// What oneDNN is told to leave out, Lockstep's own kernels leave out too.
TEST_CASE("A run that goes on with other instructions says that its bits may differ",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    CHECK(train_and_end(store, [](Process& training) { training.send(SIGTERM); }) == 75);
    std::vector<std::string> command = lockstep_command(arguments(store, "2"));
    command.insert(command.begin(), {"/usr/bin/env", "ONEDNN_MAX_CPU_ISA=SSE41"});
    Process other(command);
    CHECK(other.wait() == 0);
    CHECK(other.errors().find("resumed with instruction set sse41 after ") != std::string::npos);
    CHECK(other.errors().find("the bits may differ") != std::string::npos);
    const Result recorded = lockstep({"query", "select count(distinct isa) from attempts",
                                      "--store", store.string(), "--format", "csv"});
    CHECK(recorded.output.substr(recorded.output.find('\n')) == "\n2\n");
}

TEST_CASE("A torn checkpoint is passed over for the one before", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    CHECK(train_and_end(store, [](Process& training) { training.send(SIGTERM); }) == 75);
    const fs::path checkpoint = run_folder(store, kRun) / "checkpoint.h5";
    fs::resize_file(checkpoint, fs::file_size(checkpoint) / 2);
    const Result result = resume(store, "2");
    CHECK(result.errors.find("lockstep: warning: ") != std::string::npos);
    CHECK(result.errors.find("checkpoint.h5") != std::string::npos);
    CHECK(read_text(run_folder(store, kRun) / "final.h5") == expected_weights());
    check_epochs(store);
}

TEST_CASE("With no good checkpoint left nothing starts anew unless told to", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    CHECK(train_and_end(store, [](Process& training) { training.send(SIGTERM); }) == 75);
    for (const char* name : {"checkpoint.h5", "checkpoint.prev.h5"}) {
        fs::resize_file(run_folder(store, kRun) / name, 96);
    }
    const Result refused = lockstep(arguments(store, "1"));
    CHECK(refused.exit_code == 65);
    CHECK(refused.errors.find("--fresh") != std::string::npos);
    CHECK(state_of(store) == "state\ninterrupted\n");

    std::vector<std::string> fresh = arguments(store, "1");
    fresh.emplace_back("--fresh");
    CHECK(lockstep(fresh).exit_code == 0);
    CHECK(read_text(run_folder(store, kRun) / "final.h5") == expected_weights());
    check_epochs(store);
}

}  // namespace
}  // namespace lockstep::tests
