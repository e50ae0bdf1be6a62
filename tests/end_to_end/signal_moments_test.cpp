// Signals at moments that matter: in the midst of a checkpoint, after the last step, to mpirun or
// to one rank alone, Ctrl-C in a terminal; and ranks that are stopped for a while.

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "tests/end_to_end/in_terminal.hpp"
#include "tests/end_to_end/one_run.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

void wait_for_log(const fs::path& store, const std::string& text) {
    wait_until([&] { return contains(log_of(store, kOneRun), text); });
}

// A training on two ranks that a fault keeps at some place for a while.
std::vector<std::string> kept(const fs::path& store, const std::string& fault,
                              const std::vector<std::string>& more = {}) {
    return with_variable("LOCKSTEP_FAULT=" + fault,
                         lockstep_command(arguments_of_two(store, more)));
}

TEST_CASE("A wish to stop in a checkpoint comes after it, before the first step before that",
          "[end_to_end]") {
    const std::string fault =
        GENERATE("ckpt.before_fsync@rank=0@count=1:sleep=2", "step.begin@rank=1@step=10:sleep=1");
    const TemporaryDirectory folder;
    Process training(kept(folder / "store", fault));
    wait_for_log(folder / "store", "Epoch 2/");
    training.send(SIGUSR1);
    CHECK(training.wait() == 75);
    INFO(training.errors());
    CHECK(contains(training.errors(), "stopped early; the same command resumes"));
    check_resumes(folder / "store");
}

TEST_CASE("A wish to stop after the last step stops nothing", "[end_to_end]") {
    const TemporaryDirectory folder;
    Process training(kept(folder / "store", "finalize@rank=0:sleep=2"));
    wait_for_log(folder / "store", "test loss");
    training.send(SIGUSR1);
    CHECK(training.wait() == 0);
    CHECK(final_weights(folder / "store") == expected_weights());
}

// The ranks of which the kernel says that they are stopped.
std::vector<pid_t> stopped_ranks_on(const fs::path& store) {
    std::vector<pid_t> ranks = ranks_on(store);
    std::erase_if(ranks, [](pid_t rank) {
        return !contains(read_text("/proc/" + std::to_string(rank) + "/status"), "(stopped)");
    });
    return ranks;
}

// The evaluation of epoch 2, of the last one, and of the test set.
TEST_CASE("A wish to stop in an evaluation comes after it; in those of the end it stops nothing",
          "[end_to_end]") {
    const int evaluation = GENERATE(2, 3, 4);
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    Process training(kept(store, "evaluation@count=" + std::to_string(evaluation) + ":stop"));
    std::vector<pid_t> stopped;
    wait_until([&] { return !(stopped = stopped_ranks_on(store)).empty(); });
    training.send(SIGUSR1);
    // It reaches the other rank while this one sleeps.
    for (const pid_t rank : stopped) {
        wait_until([&] {
            const std::string status = read_text("/proc/" + std::to_string(rank) + "/status");
            return contains(status, "ShdPnd:\t0000000000000200");
        });
        ::kill(rank, SIGCONT);
    }
    CHECK(training.wait() == (evaluation == 2 ? 75 : 0));
    INFO(training.errors());
    CHECK(rows(store, "select count(*), count(val_loss) from epochs") ==
          (evaluation == 2 ? "2,2\n" : "3,3\n"));
    if (evaluation == 2) CHECK(contains(training.errors(), "the same command resumes"));
    check_resumes(store);
}

TEST_CASE("TERM to mpirun ends the job soon, and it goes on", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    Process training(kept(store, "step.begin@rank=1@step=15:sleep=20", {"--max-restarts", "0"}));
    wait_for_log(store, "Epoch 2/");
    const pid_t mpirun = mpirun_on(store);
    REQUIRE(mpirun != 0);
    ::kill(mpirun, SIGTERM);
    const auto start = std::chrono::steady_clock::now();
    CHECK(training.wait() == 75);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    INFO(training.errors());
    CHECK(seconds.count() < 15);
    check_resumes(store);
}

TEST_CASE("TERM to one rank alone stops all of them in order", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    Process training(kept(store, "step.begin@rank=1@step=15:sleep=1"));
    wait_for_log(store, "Epoch 2/");
    const std::vector<pid_t> ranks = ranks_on(store);
    REQUIRE(ranks.size() == 2);
    ::kill(ranks.back(), SIGTERM);
    CHECK(training.wait() == 75);
    check_resumes(store);
}

TEST_CASE("A rank that is stopped for a while goes on to the same bytes, its times marked",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    Process training(kept(store, "exchange@rank=1@step=12:stop"));
    wait_until([&] { return !stopped_ranks_on(store).empty(); });
    std::this_thread::sleep_for(std::chrono::seconds(5));
    for (const pid_t rank : stopped_ranks_on(store)) ::kill(rank, SIGCONT);
    CHECK(training.wait() == 0);
    CHECK(final_weights(store) == expected_weights());
    CHECK(rows(store, "select count(*) from attempts") == "1\n");
    // In the second epoch; the rank that noticed it is not the one that records.
    CHECK(rows(store,
               "select stopped_seconds between 3.5 and epoch_seconds from epochs "
               "where epoch = 2") == "1\n");
    CHECK(rows(store, "select count(*), count(stopped_seconds) from epochs") == "3,3\n");
    CHECK(rows(store, "select stopped_seconds >= 3.5 from v_runs") == "1\n");
    for (const char* verb : {"show", "compare"}) {
        CAPTURE(verb);
        const Result shown = lockstep({verb, kOneRun, "--store", store.string()});
        CHECK(shown.exit_code == 0);
        CHECK(contains(shown.output, "stopped_seconds"));
    }
    const Result report =
        lockstep({"report", "--store", store.string(), "--out", (folder / "report").string()});
    CHECK(report.exit_code == 0);
    CHECK(contains(read_text(folder / "report" / "report.md"), " (disturbed)"));
    CHECK(contains(read_text(folder / "report" / "report.html"), "a rank stood still"));
}

TEST_CASE("A rank that hangs where data are read is named with that", "[end_to_end]") {
    const TemporaryDirectory folder;
    Process training(kept(folder / "store", "data.load@rank=1:hang",
                          {"--max-restarts", "0", "--stall-timeout", "2s"}));
    CHECK(training.wait() == 75);
    INFO(training.errors());
    CHECK(contains(training.errors(), "no progress for 2 s in loading data"));
    check_resumes(folder / "store");
}

TEST_CASE("Ctrl-C in the midst of a bar leaves the terminal in order", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string ranks = GENERATE("1", "2");
    InTerminal training(lockstep_command({"run", smoke_file(), "--only", kOneRun, "--ranks", ranks,
                                          "--set", "train.epochs=1000000", "--color", "always",
                                          "--store", (folder / "store").string()}));
    training.read_until("Epoch 3/");
    training.type("\x03");
    const std::string shown = training.read_until("");
    CHECK(training.wait() == 75);
    INFO(shown);
    CHECK(contains(shown, "\r"));  // a bar was drawn
    CHECK(contains(shown, "[="));
    CHECK_FALSE(contains(shown, "\x1b[?25l"));  // the cursor was never hidden
    CHECK(contains(shown, "\nlockstep: stopped early; the same command resumes"));
    CHECK(shown.ends_with("\n"));
    // Every colour is followed by the end of it.
    const std::size_t place = shown.rfind("\x1b[1m");
    if (place != std::string::npos) CHECK(contains(shown.substr(place), "\x1b[0m"));
}

}  // namespace
}  // namespace lockstep::tests
