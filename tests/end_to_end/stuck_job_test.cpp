// Jobs in which something hangs that is no crash: a rank that is stopped whenever it comes to a
// place, one that is alone on its host, mpirun itself. Each ends, and can be resumed.

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include "tests/end_to_end/one_run.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

TEST_CASE("A stall that uses up its restarts ends with 75, and the same command goes on",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const auto command = lockstep_command(
        arguments_of_two(folder / "store", {"--max-restarts", "1", "--stall-timeout", "3s"}));
    const std::string how = GENERATE("hang", "stop");
    Process training(with_variable("LOCKSTEP_FAULT=exchange@rank=1@step=12:" + how, command));
    CHECK(training.wait() == 75);
    INFO(training.errors());
    CHECK(contains(training.errors(), "restart 1 of 1"));
    CHECK(contains(training.errors(), "rank 1 ("));
    CHECK(contains(training.errors(), "the same command goes on"));
    CHECK(rows(folder / "store",
               "select count(*), sum(cause like 'rank 1 (%no progress for 3 s%') "
               "from attempts") == "2,2\n");
    check_resumes(folder / "store");
}

// The ranks of a training that goes on for long, once it is in its second epoch.
std::vector<pid_t> ranks_at_work(const fs::path& store) {
    wait_until([&] { return contains(log_of(store, kOneRun), "Epoch 2/"); });
    return ranks_on(store);
}

// mpirun sometimes waits for ever for what has gone already; a stopped one does so always.
TEST_CASE("An mpirun that does not end when its ranks have gone is ended by a deadline",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const bool are_all_killed = GENERATE(false, true);
    CAPTURE(are_all_killed);
    // Slow enough to be still at it, and at an end 30 epochs later.
    Process training(
        with_variable("LOCKSTEP_FAULT=step.begin@rank=1@step=15@attempt=1:sleep=2",
                      lockstep_command(arguments_of_two(store, {"--max-restarts", "1"}))));
    const std::vector<pid_t> ranks = ranks_at_work(store);
    REQUIRE(ranks.size() == 2);
    const pid_t mpirun = mpirun_on(store);
    REQUIRE(mpirun != 0);
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

// Each start sweeps, first and last, unless this is a container, which cannot tell whose they are.
TEST_CASE(
    "A killed mpirun is named; what it leaves in the folder of sessions the next start removes",
    "[end_to_end]") {
    const bool sees_all_processes = fs::read_symlink("/proc/self/ns/pid") == "pid:[4026531836]";
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const fs::path sessions = folder / "tmp";
    fs::create_directory(sessions);
    const std::vector<std::string> command =
        with_variable("TMPDIR=" + sessions.string(),
                      lockstep_command(arguments_of_two(store, {"--max-restarts", "0"})));
    Process training(with_variable("LOCKSTEP_FAULT=step.begin@rank=1@step=15:sleep=20", command));
    ranks_at_work(store);
    const fs::path left = folder / "left";
    REQUIRE(Process({"cp", "-a", sessions, left}).wait() == 0);
    const pid_t mpirun = mpirun_on(store);
    REQUIRE(mpirun != 0);
    ::kill(mpirun, SIGKILL);
    CHECK(training.wait() == 128 + SIGKILL);
    INFO(training.errors());
    CHECK(contains(training.errors(), "mpirun was killed by signal 9"));
    // Now and then its orphaned ranks still remove all of it.
    if (fs::is_empty(sessions)) {
        fs::remove(sessions);
        fs::rename(left, sessions);
    }
    REQUIRE_FALSE(fs::is_empty(sessions));
    // Left alone by the end of that start while it is young.
    const auto before = fs::file_time_type::clock::now() - std::chrono::minutes(1);
    for (const auto& entry : fs::recursive_directory_iterator(sessions))
        if (entry.is_directory()) fs::last_write_time(entry.path(), before);
    CHECK(Process(command).wait() == 0);
    CHECK(fs::is_empty(sessions) == sees_all_processes);
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
    CHECK(contains(job.errors(), "no sign of life from its host for "));
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
