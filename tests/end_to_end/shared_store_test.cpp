// Several jobs, and groups of ranks, on one store: each run is trained once, whoever dies, and
// whoever holds the database.

#include <signal.h>

#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> with_short_lease(std::vector<std::string> command) {
    command.insert(command.begin(), {"env", "LOCKSTEP_LEASE_SECONDS=3"});
    return command;
}

std::vector<std::string> job(const fs::path& store, int ranks,
                             const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"run",     smoke_file(),  "--ranks", std::to_string(ranks),
                                       "--store", store.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return with_short_lease(lockstep_command(arguments));
}

void check_same_weights(const fs::path& store, const fs::path& other) {
    for (const char* run : {"batch-normalized", "logits-seed1", "logits-seed2", "three-classes"}) {
        INFO(run);
        CHECK(read_text(run_folder(store, run) / "final.h5") ==
              read_text(run_folder(other, run) / "final.h5"));
    }
}

const std::vector<std::string> kLong{"--set", "train.epochs=60"};

TEST_CASE("Of four jobs on one store each run is trained once; one that is killed loses none",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    std::vector<std::unique_ptr<Process>> jobs;
    for (int i = 0; i < 4; ++i) jobs.push_back(std::make_unique<Process>(job(store, 1, kLong)));
    std::string victim;
    wait_until([&] {
        if (!fs::exists(store / "lockstep.db")) return false;
        try {
            victim = rows(store, "select pid from attempts where outcome = 'running' limit 1");
        } catch (const std::exception&) {
            return false;  // the store is only being made
        }
        return !victim.empty();
    });
    kill(std::stoi(victim), SIGKILL);
    for (const auto& each : jobs) {
        const int code = each->wait();
        INFO(each->errors());
        const bool is_victim = each->pid() == std::stoi(victim);
        CHECK((is_victim ? code == 128 + SIGKILL : code == 0 || code == 76));
    }
    Process last(job(store, 1, kLong));
    CHECK(last.wait() == 0);
    CHECK(rows(store, "select state, count(*) from v_runs group by state") == "finished,4\n");
    const std::string attempts = rows(store, "select count(*) from attempts");
    CHECK((attempts == "5\n" || attempts == "4\n"));  // the victim may have been done just then
    const fs::path alone = folder / "alone";
    CHECK(Process(job(alone, 1, kLong)).wait() == 0);
    CHECK(rows(store, "select count(*) from epochs") == rows(alone, "select count(*) from epochs"));
    check_same_weights(store, alone);
}

TEST_CASE("Groups that take the next run give the bits of one by one", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path packed = folder / "packed";
    const fs::path alone = folder / "alone";
    Process two(job(packed, 2, {"--set", "parallel.ranks_per_run=1"}));
    const int code = two.wait();
    INFO(two.errors());
    CHECK(code == 0);
    CHECK(Process(job(alone, 1, {"--set", "parallel.ranks_per_run=1"})).wait() == 0);
    CHECK(rows(packed, "select state, attempts, count(*) from v_runs group by 1, 2") ==
          "finished,1,4\n");
    check_same_weights(packed, alone);
}

// On demand: it does not always come to its end in time (docs/reliability.md).
TEST_CASE("A reader that holds the database does not end a training: its rows are taken in later",
          "[.slow]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const std::vector<std::string> one{"--only", "batch-normalized", "--set",
                                       "train.epochs=200000"};
    const std::string run = "batch-normalized";
    Process training(job(store, 1, one));
    wait_until([&] { return log_of(store, run).find("Epoch 2/200000") != std::string::npos; });
    const std::string hold =
        "import sqlite3, sys, time\n"
        "c = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)\n"
        "c.execute('BEGIN EXCLUSIVE')\n"
        "time.sleep(9)\n";
    Process holder({"python3", "-c", hold, (store / "lockstep.db").string()});
    const fs::path spool = run_folder(store, run) / "spool-1.jsonl";
    wait_until([&] { return fs::exists(spool) || !training.is_running(); });
    INFO(training.errors());
    CHECK(training.is_running());
    CHECK(holder.wait() == 0);
    wait_until([&] { return !fs::exists(spool) || !training.is_running(); });
    training.send(SIGTERM);
    CHECK(training.wait() == 75);
    CHECK_FALSE(fs::exists(spool));
    CHECK(rows(store, "select max(epoch) - count(*), min(epoch) from epochs") == "0,1\n");
}

}  // namespace
}  // namespace lockstep::tests
