// Claims and fences: of several who ask one gets a run, and who was overtaken writes nothing.

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "storage/database/run_database.hpp"
#include "storage/files/storage_error.hpp"
#include "tests/storage/sample_rows.hpp"
#include "tests/storage/thrown.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using tests::TemporaryDirectory;
using Kind = StorageError::Kind;

const std::vector<std::string> kRuns{"a-1", "b-1"};

RunDatabase with_two_runs(const fs::path& path) {
    RunDatabase database(path, DatabaseAccess::read_write);
    database.put_experiment(sample_experiment());
    for (const std::string& run : kRuns) database.put_run(sample_run(run));
    return database;
}

bool if_not_running(std::size_t, RunState state, const AttemptRow*) {
    return state != RunState::running;
}

TEST_CASE("claims: each run goes to one, in the order asked for", "[storage]") {
    const TemporaryDirectory folder;
    RunDatabase one = with_two_runs(folder / "lockstep.db");
    RunDatabase other(folder / "lockstep.db", DatabaseAccess::read_write_again);
    AttemptRow claimant = sample_attempt("");
    claimant.job_token = "token";
    claimant.lease_seconds = 90;
    claimant.pid_namespace = "pid:[1]";
    claimant.process_start = 17;
    const auto first = one.claim_next_run(kRuns, claimant, if_not_running);
    const auto second = other.claim_next_run(kRuns, claimant, if_not_running);
    REQUIRE((first && second));
    CHECK((first->candidate == 0 && first->attempt == 1));
    CHECK((second->candidate == 1 && second->attempt == 1));
    CHECK(second->state_before == RunState::queued);
    CHECK_FALSE(one.claim_next_run(kRuns, claimant, if_not_running));
    const AttemptRow row = one.attempts("a-1").at(0);
    CHECK(row.job_token == "token");
    CHECK(row.lease_seconds == 90);
    CHECK(row.pid_namespace == "pid:[1]");
    CHECK(row.process_start == 17);
    CHECK(row.heartbeat_utc == claimant.started_utc);
    one.renew_lease("a-1", 1);
    CHECK(one.attempts("a-1").at(0).heartbeats == 1);
    CHECK(one.attempts("a-1").at(0).heartbeat_utc > claimant.started_utc);
}

TEST_CASE("claims: of processes that ask at the same time each run goes to one", "[storage]") {
    constexpr int kProcesses = 4;
    constexpr int kMany = 24;
    const TemporaryDirectory folder;
    std::vector<std::string> runs;
    {
        RunDatabase database = with_two_runs(folder / "lockstep.db");
        for (int i = 0; i < kMany; ++i) {
            runs.push_back("run-" + std::to_string(i));
            database.put_run(sample_run(runs.back()));
        }
    }
    std::array<pid_t, kProcesses> children{};
    for (pid_t& child : children) {
        child = fork();
        if (child != 0) continue;
        RunDatabase own(folder / "lockstep.db", DatabaseAccess::read_write_again);
        AttemptRow claimant = sample_attempt("");
        claimant.pid = ::getpid();
        while (own.claim_next_run(runs, claimant, if_not_running)) {
        }
        _exit(0);
    }
    for (const pid_t child : children) {
        int status = -1;
        waitpid(child, &status, 0);
        CHECK(status == 0);
    }
    const RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_only);
    for (const std::string& run : runs) CHECK(database.attempts(run).size() == 1);
}

TEST_CASE("fence: who was overtaken writes nothing", "[storage]") {
    const TemporaryDirectory folder;
    RunDatabase database = with_two_runs(folder / "lockstep.db");
    const auto always = [](std::size_t, RunState, const AttemptRow*) { return true; };
    const std::vector<std::string> runs{"a-1"};
    CHECK(database.claim_next_run(runs, sample_attempt(""), always)->attempt == 1);
    database.start_attempt("a-1", 1, {});
    database.record_epoch(sample_epoch("a-1", 1, 1), {}, std::vector{sample_checkpoint("a-1", 1)});
    CHECK_NOTHROW(database.require_newest("a-1", 1));

    const auto second = database.claim_next_run(runs, sample_attempt(""), always);
    CHECK(second->attempt == 2);
    CHECK(second->state_before == RunState::running);
    CHECK(database.attempts("a-1").at(0).outcome == "interrupted");
    const Table before = database.run_query("SELECT * FROM v_runs, events");
    const std::vector<ArtifactRow> files{sample_checkpoint("a-1", 2)};
    const auto writes = {
        kind_thrown_by([&] { database.record_epoch(sample_epoch("a-1", 2, 1), {}, files); }),
        kind_thrown_by([&] { database.record_checkpoint(1, {}, files.front()); }),
        kind_thrown_by([&] { database.put_artifacts(1, files); }),
        kind_thrown_by([&] {
            database.add_event({"a-1", 1, "", "warning", ""});
        }),
        kind_thrown_by([&] { database.start_attempt("a-1", 1, {}); }),
        kind_thrown_by([&] { database.renew_lease("a-1", 1); }),
        kind_thrown_by([&] { database.give_back("a-1", 1, RunState::queued, ""); }),
        kind_thrown_by([&] { database.require_newest("a-1", 1); }),
        kind_thrown_by([&] {
            database.end_attempt("a-1", 1,
                                 {.state = RunState::finished,
                                  .cause = "",
                                  .utc = "",
                                  .metrics = {},
                                  .artifacts = {}});
        })};
    for (const auto& kind : writes) CHECK(kind == Kind::taken_over);
    CHECK(database.run_query("SELECT * FROM v_runs, events").rows == before.rows);
    CHECK(database.checkpoint_digests("a-1") == std::vector<std::string>{"s1"});
    CHECK_NOTHROW(database.record_epoch(sample_epoch("a-1", 2, 2), {}, files));
}

TEST_CASE("claims: one that is given back leaves the run as it was", "[storage]") {
    const TemporaryDirectory folder;
    RunDatabase database = with_two_runs(folder / "lockstep.db");
    const auto claim = database.claim_next_run(kRuns, sample_attempt(""), if_not_running);
    database.give_back("a-1", claim->attempt, claim->state_before, "no data");
    CHECK(database.find_run("a-1")->state == RunState::queued);
    CHECK(database.attempts("a-1").at(0).outcome == "interrupted");
    CHECK(database.attempts("a-1").at(0).cause == "no data");
    CHECK(database.claim_next_run(kRuns, sample_attempt(""), if_not_running)->candidate == 0);
}

TEST_CASE("database: one that is deleted or replaced while it is open is noticed", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    RunDatabase database = with_two_runs(path);
    fs::rename(path, folder / "moved.db");
    CHECK(kind_thrown_by([&] { database.add_event({"a-1", 0, "", "warning", ""}); }) == Kind::io);
    CHECK(kind_thrown_by([&] { RunDatabase(path, DatabaseAccess::read_write_again); }) ==
          Kind::missing);
    CHECK_FALSE(fs::exists(path));
}

}  // namespace
}  // namespace lockstep::storage
