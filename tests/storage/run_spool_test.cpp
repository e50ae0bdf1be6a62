// Rows that wait beside the database come back as they were, once, in their order.

#include "storage/database/run_spool.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <fstream>
#include <limits>
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

RecordedRows epoch_rows(int epoch) {
    RecordedRows rows{.run = "a-1"};
    rows.epoch = sample_epoch("a-1", epoch);
    rows.epoch->loss = 0x1.fffffffffffffp-1 / epoch;
    rows.epoch->val_loss = std::numeric_limits<double>::quiet_NaN();
    rows.epoch->learning_rate = std::numeric_limits<double>::infinity();
    rows.steps = {{"a-1", 2 * epoch - 2, 0.1, 0.25}, {"a-1", 2 * epoch - 1, 0x1p-1074, 0.5}};
    rows.artifacts = {sample_checkpoint("a-1", epoch)};
    return rows;
}

Table everything(const RunDatabase& database) {
    return database.run_query(
        "SELECT e.*, s.*, a.* FROM epochs e, steps s, artifacts a ORDER BY epoch, step, kind");
}

TEST_CASE("spool: what it kept is what would have been recorded", "[storage]") {
    const TemporaryDirectory folder;
    RunDatabase direct(folder / "direct.db", DatabaseAccess::read_write);
    RunDatabase later(folder / "later.db", DatabaseAccess::read_write);
    begin_sample_run(direct, "a-1");
    begin_sample_run(later, "a-1");
    const RunSpool spool(folder.path(), 1);
    CHECK(spool.is_empty());
    for (int epoch = 1; epoch <= 3; ++epoch) {
        direct.record(1, std::vector{epoch_rows(epoch)});
        spool.append(epoch_rows(epoch));
    }
    const fs::path file = folder / "spool-1.jsonl";
    fs::copy_file(file, folder / "copy");
    // A line that a full disk cut short, and one that a crash did.
    std::ofstream(file, std::ios::app) << "\n{\"run\":\"a-1\",\"ste";
    spool.append(epoch_rows(3));
    std::ofstream(file, std::ios::app) << "\n{\"run\":\"a-1\"";
    spool.take_in(later);
    CHECK(spool.is_empty());
    CHECK(everything(later).rows == everything(direct).rows);
    CHECK(later.checkpoint_digests("a-1") == std::vector<std::string>{"s3", "s2"});

    SECTION("again, after a crash before it was removed, it changes nothing") {
        fs::rename(folder / "copy", file);
        spool.take_in(later);
        CHECK(everything(later).rows == everything(direct).rows);
    }
    SECTION("the next attempt takes it in; the one before may not any more") {
        fs::rename(folder / "copy", file);
        later.begin_attempt(sample_attempt("a-1"), {.epochs_finished = 1, .steps_taken = 2});
        CHECK(kind_thrown_by([&] { spool.take_in(later); }) == Kind::taken_over);
        CHECK_FALSE(spool.is_empty());
        RunSpool(folder.path(), 2).take_in(later);  // its own: there is none
        CHECK_FALSE(spool.is_empty());
        RunSpool(folder.path(), 2).take_in_all(later);
        CHECK(later.epochs("a-1").size() == 3);
        CHECK(later.epochs("a-1").back().attempt == 1);
        CHECK(spool.is_empty());
    }
}

TEST_CASE("spool: a database that another program holds is told as locked, and stays as it was",
          "[storage]") {
    const TemporaryDirectory folder;
    RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    begin_sample_run(database, "a-1");
    database.wait_at_most(std::chrono::milliseconds(20));
    const RunSpool spool(folder.path(), 1);
    spool.append(epoch_rows(1));
    SQLite::Database other((folder / "lockstep.db").string(), SQLite::OPEN_READWRITE);
    // A reader lets others begin to write, and holds up what they have written.
    other.exec(GENERATE("BEGIN EXCLUSIVE", "BEGIN; SELECT count(*) FROM runs"));
    CHECK(kind_thrown_by([&] { spool.take_in(database); }) == Kind::locked);
    CHECK_FALSE(spool.is_empty());
    other.exec("ROLLBACK");
    spool.take_in(database);
    CHECK(database.epochs("a-1").size() == 1);
}

}  // namespace
}  // namespace lockstep::storage
