#include "storage/files/run_store.hpp"

#include <fstream>

#include "tests/storage/thrown.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {

namespace fs = std::filesystem;
using tests::TemporaryDirectory;

TEST_CASE("names: only what is inert everywhere is safe", "[storage]") {
    CHECK(is_safe_name("conv10-64_64.v2"));
    CHECK(is_safe_name(std::string(64, 'a')));
    CHECK_FALSE(is_safe_name(std::string(65, 'a')));
    CHECK(is_safe_run_id(std::string(64, 'a') + "-0123abcd"));
    CHECK_FALSE(is_safe_run_id(std::string(81, 'a')));
    for (const std::string_view bad : {"", ".", "..", ".a", "-rf", "a/b", "/etc", "a b", "a\n",
                                       "\x1b[2J", "caf\xc3\xa9", "a;b", "'", "<b>", "%", "~"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_safe_name(bad));
        CHECK_FALSE(is_safe_run_id(bad));
    }
    CHECK_FALSE(is_safe_name(std::string_view("a\0b", 3)));
}

TEST_CASE("store: folders and paths, and no way out of the root", "[storage]") {
    const TemporaryDirectory folder;
    const RunStore store = RunStore::create(folder / "new" / "store/");
    CHECK(store.database() == folder / "new" / "store" / "lockstep.db");
    const RunFiles files = store.make_run_folder("vgg-bn-0123abcd");
    CHECK(fs::is_directory(files.folder));
    CHECK(store.relative_path(files.checkpoint) == "runs/vgg-bn-0123abcd/checkpoint.h5");
    CHECK(fs::is_directory(store.make_report_folder("tutorials")));
    for (const char* bad : {"../x", "/etc", "", "a/b"}) {
        CHECK_THROWS_AS(store.run_files(bad), StorageError);
        CHECK_THROWS_AS(store.make_report_folder(bad), StorageError);
    }
    CHECK_FALSE(mentions(thrown_by([&] { store.run_files("\x1b[31m"); }), "\x1b"));
}

TEST_CASE("store: a file in the way, and a missing one", "[storage]") {
    const TemporaryDirectory folder;
    std::ofstream(folder / "file") << "x";
    using Kind = StorageError::Kind;
    CHECK(kind_thrown_by([&] { RunStore::create(folder / "file"); }) == Kind::cannot_create);
    CHECK(kind_thrown_by([&] { RunStore::create(folder / "file" / "x"); }) == Kind::cannot_create);
    CHECK(kind_thrown_by([&] { RunStore::open(folder / "none"); }) == Kind::missing);
    CHECK_FALSE(fs::exists(folder / "none"));
}

TEST_CASE("store: a start from the beginning keeps only the log", "[storage]") {
    const TemporaryDirectory folder;
    const RunStore store = RunStore::create(folder.path());
    const RunFiles files = store.make_run_folder("a-1");
    for (const fs::path& path : {files.checkpoint, files.best, files.log})
        std::ofstream(path) << "x";
    store.remove_run_files("a-1");
    CHECK_FALSE(fs::exists(files.checkpoint));
    CHECK_FALSE(fs::exists(files.best));
    CHECK(fs::exists(files.log));
}

}  // namespace lockstep::storage
