// What was judged to be garbage, or to be removed, may be a run's by the time somebody acts: rows
// that come between the list and the act are put there by the test.

#include <chrono>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "pipeline/care/garbage.hpp"
#include "pipeline/care/run_check.hpp"
#include "pipeline/care/run_holder.hpp"
#include "pipeline/care/run_removal.hpp"
#include "pipeline/care/stray_files.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/training/run_lock.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/atomic_file.hpp"
#include "tests/storage/sample_rows.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using storage::RunDatabase;
using storage::RunState;

constexpr const char* kRun = "a-1";
constexpr const char* kUtc = "2026-03-01T13:00:00.000Z";

class Store {
public:
    Store() { database_.put_experiment(storage::sample_experiment()); }

    const storage::RunStore& store() const { return store_; }
    RunDatabase& database() { return database_; }
    storage::RunFiles files(const std::string& run = kRun) const { return store_.run_files(run); }
    // A folder with a file in it.
    fs::path put_folder(const std::string& name) const {
        fs::path folder = store_.root() / "runs" / name;
        fs::create_directories(folder);
        storage::replace_file(folder / "checkpoint.h5", std::string_view("state"));
        return folder;
    }
    // Trains the run, from the beginning, to its end.
    void train() {
        put_folder(kRun);
        database_.put_run(storage::sample_run(kRun));
        const int attempt = database_.begin_attempt(storage::sample_attempt(kRun), {});
        database_.put_artifacts(attempt, std::vector{storage::sample_checkpoint(kRun, 1)});
        database_.end_attempt(
            kRun, attempt,
            {.state = RunState::finished,
             .cause = "",
             .utc = kUtc,
             .metrics = {},
             .artifacts = {saved(files().final_weights, storage::kFinalArtifact),
                           saved(files().predictions, storage::kPredictionsArtifact)}});
    }
    // The one piece of its kind.
    Garbage garbage(GarbageKind kind) const {
        for (const Garbage& each : find_garbage(store_, database_))
            if (each.kind == kind) return each;
        throw std::logic_error("no such garbage");
    }
    std::int64_t remove(const Garbage& piece) { return remove_garbage(store_, database_, piece); }

private:
    static storage::ArtifactRow saved(const fs::path& file, std::string_view kind) {
        const auto written = storage::replace_file(file, std::string_view("weights"));
        return {kRun,          std::string(kind), "runs/a-1/" + file.filename().string(),
                written.bytes, written.sha256,    1};
    }

    tests::TemporaryDirectory folder_;
    storage::RunStore store_ = storage::RunStore::create(folder_ / "store");
    RunDatabase database_{store_.database(), storage::DatabaseAccess::read_write};
};

TEST_CASE("Folders are listed before runs are read", "[pipeline]") {
    const Store store;
    const fs::path lost = store.put_folder("lost-1");
    const auto found = stray_files(store.store(), [&] {
        store.put_folder("begins-2");  // its row was written before
        return std::set<std::string>{};
    });
    REQUIRE(found.size() == 1);
    CHECK(found.front().path == lost);
}

TEST_CASE("A folder that has become a run's is no garbage any more", "[pipeline]") {
    Store store;
    const fs::path folder = store.put_folder(kRun);
    const Garbage orphan = store.garbage(GarbageKind::orphan);
    SECTION("registered") { store.database().put_run(storage::sample_run(kRun)); }
    SECTION("trained to its end") { store.train(); }
    CHECK(store.remove(orphan) == 0);
    CHECK(fs::exists(folder / "checkpoint.h5"));
}

TEST_CASE("A folder that somebody fills is left, and removed once he has gone", "[pipeline]") {
    Store store;
    const fs::path folder = store.put_folder(kRun);
    const Garbage orphan = store.garbage(GarbageKind::orphan);
    {
        const RunLock lock = RunLock::require(folder);
        CHECK(store.remove(orphan) == 0);
        CHECK(fs::exists(folder / "checkpoint.h5"));
    }
    CHECK(store.remove(orphan) == 5);
    CHECK(fs::is_empty(store.store().root() / "runs"));
    CHECK(store.remove(orphan) == 0);  // somebody else was first
}

// As on a file system without them.
TEST_CASE("Where a lock cannot be asked, a folder that was written lately is left", "[pipeline]") {
    Store store;
    const fs::path folder = store.put_folder(kRun);
    fs::create_directory(folder / "lock");
    REQUIRE(holder_of(folder) == RunHolder::not_told);
    const Garbage orphan = store.garbage(GarbageKind::orphan);
    CHECK(store.remove(orphan) == 0);
    const auto before = fs::last_write_time(folder) - std::chrono::hours(2);
    for (const fs::path& path : {folder / "lock", folder / "checkpoint.h5", folder})
        fs::last_write_time(path, before);
    SECTION("a file of it") {
        fs::last_write_time(folder / "checkpoint.h5", before + std::chrono::hours(2));
        CHECK(store.remove(orphan) == 0);
    }
    SECTION("nothing of it") { CHECK(store.remove(orphan) == 5); }
}

TEST_CASE("Without a lock nothing is mended of a run that has begun meanwhile", "[pipeline]") {
    Store store;
    store.train();
    Findings findings(true);
    const CheckedRun checked{store.store(), store.database(),
                             findings,      *store.database().find_run(kRun),
                             store.files(), newest_attempt(store.database(), kRun),
                             false};
    int mended = 0;
    const auto mend = [&] { ++mended; };
    CHECK(report_finding(checked, Severity::warning, "a", "b", "c", mend));
    store.train();
    CHECK_FALSE(report_finding(checked, Severity::warning, "a", "b", "c", mend));
    CHECK(mended == 1);
}

TEST_CASE("Checkpoints of a finished run go, and not once it was begun anew", "[pipeline]") {
    Store store;
    store.train();
    const Garbage checkpoint = store.garbage(GarbageKind::checkpoint);
    SECTION("as it was") {
        CHECK(store.remove(checkpoint) == 5);
        CHECK_FALSE(fs::exists(store.files().checkpoint));
        CHECK_FALSE(store.database().artifact(kRun, storage::kCheckpointArtifact));
    }
    SECTION("finished once more") {
        store.train();
        CHECK(store.remove(checkpoint) == 0);
        CHECK(fs::exists(store.files().checkpoint));
        CHECK(store.database().artifact(kRun, storage::kCheckpointArtifact));
    }
    SECTION("interrupted") {
        store.database().set_state_by_hand(kRun, RunState::finished, RunState::interrupted, "",
                                           kUtc);
        CHECK(store.remove(checkpoint) == 0);
        CHECK(fs::exists(store.files().checkpoint));
    }
    SECTION("being looked at") {
        const RunLock lock = RunLock::require(store.files().folder);
        CHECK_THROWS_AS(store.remove(checkpoint), Failure);
        CHECK(store.database().artifact(kRun, storage::kCheckpointArtifact));
    }
}

TEST_CASE("A temporary file whose number is another process' by now is left", "[pipeline]") {
    Store store;
    store.train();
    const fs::path file = store.files().folder / "best.h5.tmp.elsewhere.1";
    storage::replace_file(file, std::string_view("half"));
    const auto now = fs::last_write_time(file);
    fs::last_write_time(file, now - std::chrono::hours(2));
    const Garbage temporary = store.garbage(GarbageKind::temporary);
    fs::last_write_time(file, now);  // written again
    CHECK(store.remove(temporary) == 0);
    CHECK(fs::exists(file));
    fs::last_write_time(file, now - std::chrono::hours(2));
    CHECK(store.remove(temporary) == 4);
}

TEST_CASE("rm removes what was chosen, and nothing that was begun again since", "[pipeline]") {
    Store store;
    store.train();
    const ChosenRun chosen{*store.database().find_run(kRun),
                           newest_attempt(store.database(), kRun)};
    fs::create_directories(store.store().report_folder("tutorials"));
    SECTION("as it was") {
        CHECK(remove_stored_run(store.store(), store.database(), chosen) == 19);
        CHECK(store.database().runs().empty());
        CHECK(fs::is_empty(store.store().root() / "runs"));
        CHECK(fs::is_empty(store.store().root() / "reports"));
    }
    SECTION("begun again") {
        store.train();
        CHECK_THROWS_AS(remove_stored_run(store.store(), store.database(), chosen), Failure);
        CHECK(store.database().find_run(kRun));
        CHECK(fs::exists(store.files().final_weights));
        CHECK(fs::exists(store.store().report_folder("tutorials")));
    }
}

}  // namespace
}  // namespace lockstep::pipeline
