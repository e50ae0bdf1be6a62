#include "storage/files/log_file.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "storage/files/storage_error.hpp"
#include "tests/storage/file_size_limit.hpp"
#include "tests/storage/thrown.hpp"
#include "tests/storage/unprivileged.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using Kind = StorageError::Kind;
using tests::TemporaryDirectory;

std::string text_of(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("log file: lines come behind those that are there", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "log.txt";
    LogFile(path).write_line("one");
    LogFile again(path);
    again.write_line("two");
    again.write_line("");
    CHECK(text_of(path) == "one\ntwo\n\n");
}

TEST_CASE("log file: what is no file is named, and left as it is", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "log.txt";
    const auto error_of = [&] { return thrown_by([&] { const LogFile log(path); }); };
    SECTION("a folder") {
        fs::create_directory(path);
        CHECK(error_of().kind() == Kind::cannot_create);
        CHECK(mentions(error_of(), path.string() + ": Is a directory"));
        CHECK(fs::is_directory(path));
    }
    SECTION("a FIFO that nobody reads: nobody waits for a reader") {
        REQUIRE(mkfifo(path.c_str(), 0600) == 0);
        CHECK(error_of().kind() == Kind::cannot_create);
        CHECK(fs::is_fifo(path));
    }
    SECTION("no folder to lie in") {
        fs::remove_all(folder.path());
        CHECK(error_of().kind() == Kind::cannot_create);
        fs::create_directory(folder.path());
    }
    SECTION("modes forbid it") {
        std::ofstream(path) << "one\n";
        fs::permissions(path, fs::perms(0444));
        fs::permissions(folder.path(), fs::perms(0755));
        const Unprivileged nobody;
        CHECK(error_of().kind() == Kind::no_permission);
    }
}

TEST_CASE("log file: a link is replaced, and what it points to stays", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "log.txt";
    std::ofstream(folder / "outside") << "outside";
    fs::create_symlink(folder / "outside", path);
    LogFile(path).write_line("one");
    CHECK(text_of(folder / "outside") == "outside");
    CHECK(text_of(path) == "one\n");
    CHECK_FALSE(fs::is_symlink(path));
}

TEST_CASE("log file: with room again, lines are whole again", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "log.txt";
    LogFile log(path);
    log.write_line("one");
    {
        const FileSizeLimit limit(6);
        log.write_line("two");    // as far as there is room
        log.write_line("three");  // lost
    }
    log.write_line("four");
    CHECK(text_of(path) == "one\ntw\nfour\n");
}

}  // namespace lockstep::storage
