// What `fsck` says of claims and of rows that wait beside the database, and what `--repair` does.

#include <signal.h>

#include <fstream>
#include <string>
#include <vector>

#include "storage/database/run_database.hpp"
#include "storage/database/run_spool.hpp"
#include "storage/files/utc_time.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/storage/raw_database.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using storage::DatabaseAccess;
using storage::RunDatabase;
using storage::RunState;

constexpr const char* kRun = "batch-normalized";

// A copy of a store in which every run is finished.
class Store {
public:
    Store() { fs::copy(finished_store(), path(), fs::copy_options::recursive); }

    fs::path path() const { return folder_ / "store"; }
    fs::path run() const { return run_folder(path(), kRun); }
    std::string id() const { return run().filename(); }
    RunDatabase database() const { return {path() / "lockstep.db", DatabaseAccess::read_write}; }

    // By another host, with a last heartbeat of this time; its lease lasts 90 s.
    void claim(const std::string& utc) const {
        storage::AttemptRow row;
        row.host = "elsewhere";
        row.boot_id = "another";
        row.pid = 4711;
        row.ranks = 1;
        row.started_utc = utc;
        row.lease_seconds = 90;
        const std::vector<std::string> runs{id()};
        const auto always = [](std::size_t, RunState, const storage::AttemptRow*) { return true; };
        REQUIRE(database().claim_next_run(runs, row, always));
    }
    Result fsck(bool repairs) const {
        std::vector<std::string> words{"fsck", "--store", path().string(), "--format", "csv"};
        if (repairs) words.emplace_back("--repair");
        return lockstep(words);
    }
    // Found without --repair, which changes nothing; mended with it; then sound.
    void check_mended(const std::string& what) const {
        INFO(what);
        const Result found = fsck(false);
        INFO(found.output << found.errors);
        CHECK(found.exit_code == 65);
        CHECK(found.output.find(what) != std::string::npos);
        const Result mended = fsck(true);
        INFO(mended.output << mended.errors);
        CHECK(mended.exit_code == 0);
        const Result after = fsck(false);
        INFO(after.output);
        CHECK(after.exit_code == 0);
        CHECK(rows(path(), "select count(*) from attempts where outcome = 'running'") == "0\n");
    }
    // With --repair, too.
    void check_left_alone(const std::string& word) const {
        const std::string before = rows(path(), "select * from attempts");
        for (const bool repairs : {false, true}) {
            const Result result = fsck(repairs);
            INFO(result.output << result.errors);
            CHECK(result.exit_code == 0);
            CHECK(result.output.find(word) != std::string::npos);
        }
        CHECK(rows(path(), "select * from attempts") == before);
        CHECK(database().find_run(id())->state == RunState::running);
    }
    void train_to_same_weights() const {
        Process again(lockstep_command(
            {"run", smoke_file(), "--only", kRun, "--ranks", "1", "--store", path().string()}));
        CHECK(again.wait() == 0);
        INFO(again.errors());
        CHECK(read_text(run() / "final.h5") ==
              read_text(run_folder(finished_store(), kRun) / "final.h5"));
    }
    void execute(const std::string& sql) const { RawDatabase(path() / "lockstep.db").exec(sql); }

private:
    TemporaryDirectory folder_;
};

std::string utc_in(int seconds) {
    return storage::utc_text(std::chrono::system_clock::now() + std::chrono::seconds(seconds));
}

TEST_CASE("A claim of a dead process is released", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string store = (folder / "store").string();
    Process training(lockstep_command({"run", smoke_file(), "--only", kRun, "--set",
                                       "train.epochs=1000000", "--ranks", "1", "--store", store}));
    wait_until([&] { return log_of(store, kRun).find("Epoch 3/") != std::string::npos; });
    pause_outside_of_transactions(training, store);
    training.send(SIGKILL);
    training.wait();
    const auto fsck = [&](const char* more) {
        return lockstep({"fsck", "--store", store, "--format", more});
    };
    const Result found = fsck("csv");
    INFO(found.output);
    CHECK(found.exit_code == 65);
    CHECK(found.output.find("its process is gone (attempt 1, on ") != std::string::npos);
    CHECK(lockstep({"fsck", "--repair", "--store", store}).exit_code == 0);
    CHECK(fsck("csv").exit_code == 0);
    CHECK(rows(store, "select r.state, a.outcome from runs r join attempts a using (run)") ==
          "interrupted,interrupted\n");
}

TEST_CASE("A claim of another host: released once its lease has run out, and not before",
          "[end_to_end]") {
    const Store store;
    SECTION("run out") {
        store.claim(utc_in(-100));
        store.check_mended("its lease ran out, its last heartbeat is of ");
        CHECK(store.database().find_run(store.id())->state == RunState::interrupted);
        store.train_to_same_weights();
    }
    SECTION("alive") {
        store.claim(utc_in(-60));
        store.check_left_alone("is being trained by its lease (attempt 2, on elsewhere");
    }
    SECTION("from the future") {
        store.claim(utc_in(86400));
        store.check_left_alone("its last heartbeat is from the future");
    }
}

TEST_CASE("A claim that was overtaken, or outlived its run, is ended", "[end_to_end]") {
    const Store store;
    store.claim(utc_in(0));
    store.execute("update runs set state = 'finished'");
    store.check_mended("a claim that nobody holds any more (attempt 2, on elsewhere");
    CHECK(store.database().find_run(store.id())->state == RunState::finished);
}

// `--fresh` of a run whose checkpoints gc had removed, killed before it had begun anything.
TEST_CASE("A run that was claimed to begin anew does so once its claim is dead", "[end_to_end]") {
    const Store store;
    store.execute("delete from artifacts where kind like 'checkpoint%'");
    for (const char* file : {"checkpoint.h5", "checkpoint.prev.h5"}) fs::remove(store.run() / file);
    store.claim(utc_in(-100));
    store.train_to_same_weights();
    CHECK(rows(store.path(),
               "select count(*) from events where kind = 'warning' and "
               "text like 'begins anew%'") == "1\n");
}

// As if the last epoch had met a database that somebody held, and the end a kill.
void put_last_epoch_aside(const Store& store) {
    storage::RecordedRows last{.run = store.id()};
    {
        const RunDatabase database = store.database();
        last.epoch = database.epochs(store.id()).back();
        last.artifacts = {*database.artifact(store.id(), storage::kCheckpointArtifact)};
    }
    store.execute(
        "delete from epochs where epoch = 2 and run like 'batch-normalized-%';"
        "delete from artifacts where kind = 'checkpoint' and run like 'batch-normalized-%';"
        "update artifacts set kind = 'checkpoint', path = replace(path, '.prev', '') "
        "  where kind = 'checkpoint_prev' and run like 'batch-normalized-%';"
        "delete from artifacts where kind in ('final', 'predictions') "
        "  and run like 'batch-normalized-%';"
        "update runs set state = 'interrupted' where run like 'batch-normalized-%'");
    for (const char* file : {"final.h5", "predictions.h5"}) fs::remove(store.run() / file);
    storage::RunSpool(store.run(), 1).append(last);
}

TEST_CASE("Rows that were never taken in are, before files are judged by them", "[end_to_end]") {
    const Store store;
    const std::string checkpoint = read_text(store.run() / "checkpoint.h5");
    put_last_epoch_aside(store);
    SECTION("by fsck --repair") {
        store.check_mended("rows that the database has not taken in");
        CHECK(read_text(store.run() / "checkpoint.h5") == checkpoint);
        CHECK_FALSE(fs::exists(store.path() / "lost+found"));
        CHECK(store.database().epochs(store.id()).size() == 2);
    }
    SECTION("by the next start") {}
    store.train_to_same_weights();
    CHECK_FALSE(fs::exists(store.run() / "spool-1.jsonl"));
    CHECK(store.fsck(false).exit_code == 0);
}

TEST_CASE("A spool that belongs to nothing is put aside", "[end_to_end]") {
    const Store store;
    SECTION("of an attempt that the database does not know") {
        std::ofstream(store.run() / "spool-9.jsonl") << "{}\n";
        store.check_mended("rows of an attempt that the database does not know");
        CHECK(fs::exists(store.path() / "lost+found" / "runs" / store.id() / "spool-9.jsonl"));
    }
    SECTION("of a run that is gone") {
        std::ofstream(store.run() / "spool-1.jsonl") << "{}\n";
        const std::string id = store.id();
        store.database().remove_run(id);
        store.check_mended("the database knows no such run");
        CHECK(fs::exists(store.path() / "lost+found" / "runs" / id / "spool-1.jsonl"));
    }
}

}  // namespace
}  // namespace lockstep::tests
