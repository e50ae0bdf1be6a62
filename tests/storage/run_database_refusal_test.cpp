// Files that are no run database of ours: refused, and not changed by a byte.

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <string>

#include "storage/database/run_database.hpp"
#include "storage/files/atomic_file.hpp"
#include "tests/storage/sample_rows.hpp"
#include "tests/storage/thrown.hpp"
#include "tests/storage/unprivileged.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using Kind = StorageError::Kind;
using tests::TemporaryDirectory;

Kind kind_of_opening(const fs::path& path, DatabaseAccess access) {
    const StorageError error = thrown_by([&] { const RunDatabase database(path, access); });
    CHECK(mentions(error, path.filename().string()));
    return error.kind();
}

// Refused as bad data for reading and for writing, and left as it was, with nothing beside it.
void check_refused(const fs::path& path) {
    const Bytes before = read_file(path);
    CHECK(kind_of_opening(path, DatabaseAccess::read_only) == Kind::bad_data);
    CHECK(kind_of_opening(path, DatabaseAccess::read_write) == Kind::bad_data);
    CHECK(read_file(path) == before);
    CHECK(std::distance(fs::directory_iterator(path.parent_path()), fs::directory_iterator()) == 1);
}

Bytes bytes_of_a_run_database(const fs::path& path) {
    {
        RunDatabase database(path, DatabaseAccess::read_write);
        begin_sample_run(database, "a-1");
        std::vector<StepRow> steps;
        for (int step = 0; step < 2000; ++step) steps.push_back({"a-1", step, 1.0, 0.5});
        database.record_epoch(sample_epoch("a-1", 1), steps, {});
    }
    return read_file(path);
}

}  // namespace

TEST_CASE("database: another program's is refused, untouched", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    const std::string setting = GENERATE(as<std::string>{}, "PRAGMA application_id = 0",
                                         "PRAGMA application_id = 77", "PRAGMA journal_mode = WAL");
    {
        SQLite::Database raw(path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        SQLite::Statement(raw, setting).executeStep();
        raw.exec("CREATE TABLE t (x)");
    }
    if (setting.find("WAL") == std::string::npos) {
        check_refused(path);
    } else {  // a reader of such a file makes -wal and -shm; the file itself stays
        const Bytes before = read_file(path);
        CHECK(kind_of_opening(path, DatabaseAccess::read_write) == Kind::bad_data);
        CHECK(read_file(path) == before);
    }
}

TEST_CASE("database: a damaged or foreign file is refused, untouched", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    Bytes bytes = bytes_of_a_run_database(path);
    SECTION("no database at all") {
        replace_file(path, "\x89PNG\r\n\x1a\n" + std::string(5000, 'x'));
        check_refused(path);
    }
    SECTION("a byte") {
        replace_file(path, "S");
        check_refused(path);
    }
    SECTION("half of it") {
        bytes.resize(bytes.size() / 2);
        replace_file(path, bytes);
        CHECK(kind_of_opening(path, DatabaseAccess::read_write) == Kind::bad_data);
        CHECK(read_file(path) == bytes);
    }
    SECTION("bits flipped in the pages of a table") {
        for (std::size_t i = bytes.size() - 8192; i < bytes.size() - 8000; ++i)
            bytes[i] ^= std::byte{0xff};
        replace_file(path, bytes);
        CHECK(kind_of_opening(path, DatabaseAccess::read_write) == Kind::bad_data);
        CHECK(read_file(path) == bytes);
    }
}

TEST_CASE("database: missing and empty files", "[storage]") {
    const TemporaryDirectory folder;
    CHECK(kind_of_opening(folder / "none.db", DatabaseAccess::read_only) == Kind::missing);
    CHECK_FALSE(fs::exists(folder / "none.db"));
    replace_file(folder / "empty.db", "");
    CHECK(kind_of_opening(folder / "empty.db", DatabaseAccess::read_only) == Kind::missing);
    RunDatabase database(folder / "empty.db", DatabaseAccess::read_write);
    CHECK(database.runs().empty());
    CHECK(kind_of_opening(folder / "none" / "x.db", DatabaseAccess::read_write) ==
          Kind::cannot_create);
    fs::create_directory(folder / "folder.db");
    CHECK(kind_of_opening(folder / "folder.db", DatabaseAccess::read_write) == Kind::cannot_create);
}

TEST_CASE("database: paths mean what they say", "[storage]") {
    const TemporaryDirectory folder;
    const std::string name = GENERATE(as<std::string>{}, "a b?mode=memory", "100%25#x", "file:x.db",
                                      "gr\xc3\xbc\xc3\x9f.db");
    const fs::path before = fs::current_path();
    fs::current_path(folder.path());
    { const RunDatabase database(name, DatabaseAccess::read_write); }
    { const RunDatabase database(name, DatabaseAccess::read_only); }
    fs::current_path(before);
    CHECK(fs::file_size(folder / name) > 0);
}

TEST_CASE("database: a read-only file is found before anything is written", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    bytes_of_a_run_database(path);
    fs::permissions(folder.path(), fs::perms(0755));
    fs::permissions(path, fs::perms(0444));
    const Unprivileged user;
    CHECK(kind_of_opening(path, DatabaseAccess::read_write) == Kind::no_permission);
    CHECK(RunDatabase(path, DatabaseAccess::read_only).runs().size() == 1);
}

}  // namespace lockstep::storage
