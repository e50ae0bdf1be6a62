// What a batch system, another MPI or a library's variables do to a training from outside.

#include <csignal>
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

std::vector<std::string> training(const fs::path& store, const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"run",     smoke_file(), "--only",      "batch-normalized",
                                       "--quiet", "--store",    store.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

// `command`, with each "NAME=VALUE" in its environment.
std::vector<std::string> with(std::vector<std::string> variables,
                              const std::vector<std::string>& command) {
    variables.insert(variables.begin(), "env");
    variables.insert(variables.end(), command.begin(), command.end());
    return variables;
}

std::string ranks_in(const fs::path& store) { return rows(store, "select ranks from attempts"); }

TEST_CASE("What another job left in the environment does not change the ranks", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::vector<std::string> left = GENERATE(
        std::vector<std::string>{"PMI_RANK=0"},
        std::vector<std::string>{"PMI_RANK=0", "PMI_SIZE=1"},
        std::vector<std::string>{"SLURM_JOB_ID=7", "SLURM_NTASKS=1", "SLURM_TASKS_PER_NODE=1",
                                 "SLURM_STEP_ID=0", "SLURM_STEP_NUM_TASKS=1", "SLURM_PROCID=0"});
    const Result ended =
        run_to_end(with(left, lockstep_command(training(folder / "store", {"--ranks", "2"}))));
    INFO(ended.errors);
    CHECK(ended.exit_code == 0);
    CHECK(ranks_in(folder / "store") == "2\n");
}

TEST_CASE("One task of Slurm is one rank, of two CPUs it is two", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string cpus = GENERATE("1", "2");
    const Result ended =
        run_to_end(with({"SLURM_JOB_ID=7", "SLURM_NTASKS=1", "SLURM_JOB_NUM_NODES=1",
                         "SLURM_TASKS_PER_NODE=1", "SLURM_CPUS_PER_TASK=" + cpus},
                        lockstep_command(training(folder / "store", {}))));
    INFO(ended.errors);
    CHECK(ended.exit_code == 0);
    CHECK((ranks_in(folder / "store") == cpus + "\n" || ranks_in(folder / "store") == "1\n"));
}

TEST_CASE("Ranks that cannot find each other are refused in words", "[end_to_end]") {
    const TemporaryDirectory folder;
    const auto command = lockstep_command(training(folder / "store", {}));
    const Result without =
        run_to_end(with({"SLURM_STEP_ID=0", "SLURM_STEP_NUM_TASKS=2", "SLURM_PROCID=0"}, command));
    CHECK(without.exit_code == 69);
    CHECK(without.errors.starts_with("lockstep: srun started 2 ranks that cannot find each other"));
    const Result other = run_to_end(with({"PMI_RANK=0", "PMI_SIZE=4"}, command));
    CHECK(other.exit_code == 69);
    CHECK(other.errors.starts_with("lockstep: PMI_SIZE says that there are 4 ranks"));
}

// Starts the program behind its options as often as `-n N` says, with nothing of Open MPI's.
constexpr const char* kOtherMpirun = R"(#!/bin/sh
while [ $# -gt 0 ] && [ "$1" != --as-rank ]; do
    [ "$1" = -n ] && ranks=$2
    program=$before before=$1
    shift
done
while [ "$ranks" -gt 0 ]; do
    "$program" "$before" "$@" & last=$!
    ranks=$((ranks - 1))
done
wait $last
)";

TEST_CASE("An mpirun of another MPI is refused in words", "[end_to_end]") {
    const TemporaryDirectory folder;
    std::ofstream(folder / "mpirun") << kOtherMpirun;
    fs::permissions(folder / "mpirun", fs::perms::owner_all);
    const Result ended =
        run_to_end(with({"PATH=" + folder.path().string() + ":/usr/bin:/bin"},
                        lockstep_command(training(folder / "store", {"--ranks", "2"}))));
    INFO(ended.errors);
    CHECK(ended.exit_code == 69);
    CHECK(ended.errors.find("mpirun started 2 ranks, but MPI (") != std::string::npos);
    CHECK(ended.errors.find("the mpirun in PATH is of another MPI") != std::string::npos);
}

TEST_CASE("--ranks that are not those of mpirun are refused", "[end_to_end]") {
    const TemporaryDirectory folder;
    const Result ended =
        run_to_end(mpirun_command(2, training(folder / "store", {"--ranks", "3"})));
    CHECK(ended.exit_code == 64);
    CHECK(ended.errors.find("--ranks 3, but mpirun or srun has started 2") != std::string::npos);
}

TEST_CASE("A wish to stop is one however often and on however many ways it comes", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const std::string ranks = GENERATE("1", "2");
    Process process(
        lockstep_command(training(store, {"--ranks", ranks, "--set", "train.epochs=1000000"})));
    wait_until([&] {
        return process.is_running() && !processes_with(store.string(), "run").empty() &&
               fs::exists(store / "lockstep.db") &&
               rows(store, "select count(*) > 2 from epochs") == "1\n";
    });
    for (int i = 0; i < 3; ++i) {
        for (const pid_t each : processes_with(store.string(), "run")) ::kill(each, SIGUSR1);
    }
    CHECK(process.wait() == 75);
    CHECK(rows(store, "select state, cause like 'stopped on request%' from v_runs") ==
          "interrupted,1\n");
}

TEST_CASE("What oneDNN prints stays out of results", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string store = (folder / "store").string();
    CHECK(lockstep(training(store, {"--ranks", "1"})).exit_code == 0);
    Process process(with(
        {"ONEDNN_VERBOSE=1", "DNNL_VERBOSE=1"},
        lockstep_command({"evaluate", "batch-normalized", "--store", store, "--format", "csv"})));
    CHECK(process.wait() == 0);
    CHECK(process.output().find("nednn_verbose") == std::string::npos);
    CHECK(process.errors().find("nednn_verbose") != std::string::npos);
    CHECK(process.output() ==
          lockstep({"evaluate", "batch-normalized", "--store", store, "--format", "csv"}).output);
}

std::size_t threads_of(pid_t process) {
    const fs::path tasks = "/proc/" + std::to_string(process) + "/task";
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(tasks), {}));
}

TEST_CASE("OMP_NUM_THREADS gives a rank no threads", "[end_to_end]") {
    const TemporaryDirectory folder;
    const auto threads = [&](const std::string& number) {
        const fs::path store = folder / ("store-" + number);
        Process process(with(
            {"OMP_NUM_THREADS=" + number},
            lockstep_command(training(store, {"--ranks", "1", "--set", "train.epochs=1000000"}))));
        wait_until([&] {
            return fs::exists(store / "lockstep.db") &&
                   rows(store, "select count(*) > 2 from epochs") == "1\n";
        });
        const std::size_t count = threads_of(process.pid());
        process.send(SIGUSR1);
        CHECK(process.wait() == 75);
        return count;
    };
    CHECK(threads("4") == threads("1"));
}

}  // namespace
}  // namespace lockstep::tests
