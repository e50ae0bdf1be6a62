// Jobs in which something hangs that is no crash: a rank that is stopped whenever it comes to a
// place, one that is alone on its host, mpirun itself. Each ends, and can be resumed.

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

constexpr const char* kRun = "batch-normalized";

// Of ranks that others start. 10 steps an epoch.
std::vector<std::string> rank_arguments(const fs::path& store,
                                        const std::vector<std::string>& more = {}) {
    std::vector<std::string> all{
        "run",     smoke_file(),   "--only",     kRun,  "--set", "train.epochs=3",
        "--store", store.string(), "--progress", "none"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

std::vector<std::string> arguments(const fs::path& store, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--ranks", "2"});
    return rank_arguments(store, more);
}

std::vector<std::string> with_variable(const std::string& variable,
                                       std::vector<std::string> command) {
    command.insert(command.begin(), {"env", variable});
    return command;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string final_weights(const fs::path& store) {
    return read_text(run_folder(store, kRun) / "final.h5");
}

// Of a run that nothing ended; trained once.
const std::string& expected_weights() {
    static const std::string bytes = [] {
        const TemporaryDirectory folder;
        CHECK(lockstep(arguments(folder / "store")).exit_code == 0);
        return final_weights(folder / "store");
    }();
    return bytes;
}

void check_resumes(const fs::path& store) {
    wait_until([&] { return processes_with(store.string(), "lockstep").empty(); });
    CHECK(lockstep(arguments(store)).exit_code == 0);
    CHECK(final_weights(store) == expected_weights());
}

TEST_CASE("A stall that uses up its restarts ends with 75, and the same command goes on",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const auto command = lockstep_command(
        arguments(folder / "store", {"--max-restarts", "1", "--stall-timeout", "1s"}));
    const std::string how = GENERATE("hang", "stop");
    Process training(with_variable("LOCKSTEP_FAULT=exchange@rank=1@step=12:" + how, command));
    CHECK(training.wait() == 75);
    INFO(training.errors());
    CHECK(contains(training.errors(), "restart 1 of 1"));
    CHECK(contains(training.errors(), "rank 1 ("));
    CHECK(contains(training.errors(), "the same command goes on"));
    CHECK(rows(folder / "store",
               "select count(*), sum(cause like 'rank 1 (%no progress for 1 s%') "
               "from attempts") == "2,2\n");
    check_resumes(folder / "store");
}

// The ranks of a training that goes on for long, once it is in its second epoch.
std::vector<pid_t> ranks_at_work(const fs::path& store) {
    wait_until([&] { return contains(log_of(store, kRun), "Epoch 2/"); });
    return ranks_on(store);
}

pid_t mpirun_on(const fs::path& store) {
    for (const pid_t process : processes_with(store.string(), "mpirun")) {
        if (read_text("/proc/" + std::to_string(process) + "/comm") == "mpirun\n") return process;
    }
    throw std::runtime_error("no mpirun");
}

// mpirun sometimes waits for ever for what has gone already; a stopped one does so always.
TEST_CASE("An mpirun that does not end when its ranks have gone is ended by a deadline",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const bool are_all_killed = GENERATE(false, true);
    CAPTURE(are_all_killed);
    // Slow enough to be still at it, and at an end 30 epochs later.
    Process training(with_variable("LOCKSTEP_FAULT=step.begin@rank=1@step=15@attempt=1:sleep=2",
                                   lockstep_command(arguments(store, {"--max-restarts", "1"}))));
    const std::vector<pid_t> ranks = ranks_at_work(store);
    REQUIRE(ranks.size() == 2);
    const pid_t mpirun = mpirun_on(store);
    ::kill(mpirun, SIGSTOP);
    ::kill(ranks[1], SIGKILL);
    if (are_all_killed) ::kill(ranks[0], SIGKILL);
    const auto start = SteadyClock::now();
    CHECK(training.wait() == 0);
    const std::chrono::duration<double> seconds = SteadyClock::now() - start;
    INFO(training.errors());
    CHECK(seconds.count() < 40);  // 5 to see it, 10 for mpirun to end, 1 until the restart
    CHECK(contains(training.errors(), "restart 1 of 1"));
    CHECK_FALSE(fs::exists("/proc/" + std::to_string(mpirun)));
    CHECK(final_weights(store) == expected_weights());
}

TEST_CASE(
    "A stopped rank that is alone on its host is named by the other hosts, under mpirun alone",
    "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const int rank = GENERATE(0, 1);
    CAPTURE(rank);
    const std::string fault =
        "LOCKSTEP_FAULT=exchange@step=11@rank=" + std::to_string(rank) + ":stop";
    Process job(preloading(LOCKSTEP_OWN_HOSTS, {fault},
                           mpirun_command(3, rank_arguments(store, {"--stall-timeout", "3s"}))));
    CHECK(job.wait() == 75);
    INFO(job.errors());
    CHECK(contains(job.errors(), "lockstep: lost rank " + std::to_string(rank) + " ("));
    CHECK(contains(job.errors(), "no sign of life from its host for 3 s"));
    check_resumes(store);
}

TEST_CASE("Ranks on hosts of their own train to the same bits, and end at once", "[end_to_end]") {
    const TemporaryDirectory folder;
    Process job(
        preloading(LOCKSTEP_OWN_HOSTS, {}, mpirun_command(3, rank_arguments(folder / "store"))));
    CHECK(job.wait() == 0);
    INFO(job.errors());
    CHECK_FALSE(contains(job.errors(), "no sign of life"));
    CHECK(final_weights(folder / "store") == expected_weights());
}

}  // namespace
}  // namespace lockstep::tests
