// Killed at any of its system calls a save or a commit leaves the state before it or the one after
// it, and a start goes on from there.

#include <SQLiteCpp/SQLiteCpp.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "storage/database/database_check.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/sha256.hpp"
#include "storage/weights/checkpoint_file.hpp"
#include "tests/storage/killed_process.hpp"
#include "tests/storage/old_database.hpp"
#include "tests/storage/sample_model.hpp"
#include "tests/storage/sample_rows.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using tests::TemporaryDirectory;

// Does `work` from the same beginning again and again, killed one call later each time, until it is
// done. The calls that it took.
int kill_at_each_call(const std::function<void()>& begin, const std::function<void()>& work,
                      const std::function<void()>& check) {
    for (int n = 1;; ++n) {
        CAPTURE(n);
        begin();
        const bool is_killed = is_killed_at_call(n, work);
        check();
        if (!is_killed) return n - 1;
    }
}

void check_whole(const fs::path& database) {
    SQLite::Database raw(database.string(), SQLite::OPEN_READWRITE);  // rolls back
    CHECK(raw.execAndGet("PRAGMA integrity_check").getString() == "ok");
    CHECK_FALSE(SQLite::Statement(raw, "PRAGMA foreign_key_check").executeStep());
}

}  // namespace

TEST_CASE("killed at any call of a save: the checkpoint that was recorded is found", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "checkpoint.h5", previous = folder / "checkpoint.prev.h5";
    std::vector<std::string> digests;  // of the two recorded ones, newest first
    const auto save = [&](int epoch) {
        CheckpointState state = sample_state();
        state.epochs_finished = epoch;
        return write_checkpoint(path, previous, sample_model(), state).sha256;
    };
    const std::string third = save(3);
    std::set<std::string> seen;
    const auto check = [&] {
        const auto loaded = load_newest_good_checkpoint(path, previous, digests);
        REQUIRE(loaded.has_value());
        CHECK(loaded->state.epochs_finished == 2);
        seen.insert(fs::exists(path) ? sha256_hex(read_file(path)) : "none");
    };
    const int calls = kill_at_each_call(
        [&] {
            for (const auto& entry : fs::directory_iterator(folder.path())) fs::remove(entry);
            digests = {save(1)};
            digests.insert(digests.begin(), save(2));
        },
        [&] { save(3); }, check);
    CHECK(calls > 8);
    CHECK(seen == std::set<std::string>{digests.front(), third, "none"});  // whole, and each met
}

TEST_CASE("killed at any call of a commit: the rows are those before it or after it", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    {
        RunDatabase database(path, DatabaseAccess::read_write);
        begin_sample_run(database, "a-1");
        database.record_epoch(sample_epoch("a-1", 1), {}, std::vector{sample_checkpoint("a-1", 1)});
    }
    const Bytes before = read_file(path);
    const std::vector<StepRow> steps{{"a-1", 2, 1.0, 0.5}, {"a-1", 3, 0.5, 0.5}};
    std::set<std::size_t> seen;
    const auto record = [&] {
        RunDatabase database(path, DatabaseAccess::read_write);
        database.record_epoch(sample_epoch("a-1", 2), steps,
                              std::vector{sample_checkpoint("a-1", 2)});
    };
    const auto check = [&] {
        check_whole(path);
        const RunDatabase database(path, DatabaseAccess::read_write);
        const std::size_t epochs = database.epochs("a-1").size();
        seen.insert(epochs);
        CHECK(database.steps("a-1").size() == 2 * (epochs - 1));
        CHECK(database.checkpoint_digests("a-1").size() == epochs);
    };
    const int calls = kill_at_each_call(
        [&] {
            fs::remove(path.string() + "-journal");
            replace_file(path, before);
        },
        record, check);
    CHECK(calls > 20);
    CHECK(seen == std::set<std::size_t>{1, 2});
}

TEST_CASE("killed at any call of an upgrade: the old database is whole, or the new one",
          "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db", copy = folder / "lockstep.db.version2";
    fill_database(path);
    const Table runs = RunDatabase(path, DatabaseAccess::read_only).runs_table();
    make_version(2, path);
    const Bytes before = read_file(path);
    std::set<int> seen;
    const auto check = [&] {
        check_whole(path);
        const int version = SQLite::Database(path.string()).execAndGet("PRAGMA user_version");
        seen.insert(version);
        if (version != 2) {  // no database is changed before its copy is whole
            check_whole(copy);
            CHECK(SQLite::Database(copy.string()).execAndGet("PRAGMA user_version").getInt() == 2);
        }
        const RunDatabase again(path, DatabaseAccess::read_write);
        CHECK(again.runs_table().rows == runs.rows);
        CHECK(again.run_query("PRAGMA user_version").rows.at(0).at(0) ==
              Cell(std::int64_t{kSchemaVersion}));
    };
    const int calls = kill_at_each_call(
        [&] {
            for (const auto& entry : fs::directory_iterator(folder.path())) fs::remove(entry);
            replace_file(path, before);
        },
        [&] { const RunDatabase upgraded(path, DatabaseAccess::read_write); }, check);
    CHECK(calls > 40);
    CHECK(seen == std::set<int>{2, kSchemaVersion});
}

}  // namespace lockstep::storage
