#include "storage/files/atomic_file.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "storage/files/sha256.hpp"
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
    const Bytes bytes = read_file(path);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::size_t files_in(const fs::path& folder) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

// A number that no process has: that of a child that has ended.
pid_t dead_process() {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, nullptr, 0);
    return child;
}

std::string this_host() {
    char name[256] = {};
    gethostname(name, sizeof name - 1);
    struct stat space {};
    stat("/proc/self/ns/pid", &space);
    return std::string(name) + "-" + std::to_string(space.st_ino);
}

void touch(const fs::path& path) { std::ofstream(path) << "x"; }

}  // namespace

TEST_CASE("replace_file: what was written is read back, and nothing is left beside it",
          "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "a b?#%.bin";
    for (const std::string& content :
         {std::string(), std::string("one"), std::string(5'000'000, 'x')}) {
        const SavedFile saved = replace_file(path, content);
        CHECK(text_of(path) == content);
        CHECK(saved.bytes == static_cast<std::int64_t>(content.size()));
        CHECK(saved.sha256 == sha256_hex(content));
        CHECK(files_in(folder.path()) == 1);
    }
}

TEST_CASE("replace_file: a full disk leaves the old file whole and no temporary one", "[storage]") {
    const TemporaryDirectory folder;
    replace_file(folder / "file", "old");
    const std::string content(100'000, 'n');
    {
        const FileSizeLimit limit(1000);
        CHECK(kind_thrown_by([&] { replace_file(folder / "file", content); }) == Kind::io);
        CHECK(kind_thrown_by([&] {
                  replace_file_keeping(folder / "before", folder / "file",
                                       std::as_bytes(std::span(content)));
              }) == Kind::io);
    }
    CHECK(text_of(folder / "file") == "old");
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("replace_file: a path that cannot be made is named, with its kind", "[storage]") {
    const TemporaryDirectory folder;
    fs::create_directory(folder / "folder");
    CHECK(kind_thrown_by([&] { replace_file(folder / "none" / "x", "x"); }) == Kind::cannot_create);
    CHECK(kind_thrown_by([&] { replace_file(folder / "folder", "x"); }) == Kind::cannot_create);
    touch(folder / "file");
    CHECK(kind_thrown_by([&] { replace_file(folder / "file" / "x", "x"); }) == Kind::cannot_create);
    CHECK(files_in(folder / "folder") == 0);
    const StorageError error = thrown_by([&] { replace_file(folder / "none" / "x", "x"); });
    CHECK(mentions(error, (folder / "none" / "x").string()));
    CHECK(mentions(error, "No such file"));
}

TEST_CASE("files: what the system's modes forbid is no_permission", "[storage]") {
    const TemporaryDirectory folder;
    touch(folder / "file");
    fs::permissions(folder.path(), fs::perms::none);
    auto written = Kind::io;
    auto read = Kind::io;
    {
        const Unprivileged user;
        written = kind_thrown_by([&] { replace_file(folder / "file", "x"); });
        read = kind_thrown_by([&] { read_file(folder / "file"); });
    }
    fs::permissions(folder.path(), fs::perms::owner_all);
    CHECK(written == Kind::no_permission);
    CHECK(read == Kind::no_permission);
}

TEST_CASE("replace_file: an earlier process of the same number does not stand in the way",
          "[storage]") {
    const TemporaryDirectory folder;
    touch(folder / ("file.tmp." + this_host() + "." + std::to_string(getpid())));
    replace_file(folder / "file", "new");
    CHECK(text_of(folder / "file") == "new");
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("replace_file_keeping: the old content stays as the previous file", "[storage]") {
    const TemporaryDirectory folder;
    const auto save = [&](std::string_view content) {
        replace_file_keeping(folder / "previous", folder / "file",
                             std::as_bytes(std::span(content.data(), content.size())));
    };
    save("1");
    CHECK_FALSE(fs::exists(folder / "previous"));
    save("2");
    save("3");
    CHECK(text_of(folder / "file") == "3");
    CHECK(text_of(folder / "previous") == "2");
    CHECK(files_in(folder.path()) == 2);
}

TEST_CASE("read_file: what is no regular file is refused at once", "[storage]") {
    const TemporaryDirectory folder;
    REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
    CHECK(kind_thrown_by([&] { read_file(folder / "fifo"); }) == Kind::bad_data);
    CHECK(kind_thrown_by([&] { read_file(folder.path()); }) == Kind::bad_data);
    CHECK(kind_thrown_by([&] { read_file("/dev/null"); }) == Kind::bad_data);
    CHECK(kind_thrown_by([&] { read_file(folder / "none"); }) == Kind::missing);
}

TEST_CASE("read_file: what is larger than it may be is refused unread", "[storage]") {
    const TemporaryDirectory folder;
    replace_file(folder / "file", "1234");
    CHECK(read_file(folder / "file", 4).size() == 4);
    CHECK(kind_thrown_by([&] { read_file(folder / "file", 3); }) == Kind::bad_data);
    fs::resize_file(folder / "file", std::uintmax_t{3} << 40);  // sparse
    CHECK(kind_thrown_by([&] { read_file(folder / "file"); }) == Kind::bad_data);
}

TEST_CASE("sweep: only files that nobody will finish go", "[storage]") {
    const TemporaryDirectory folder;
    const std::string dead = std::to_string(dead_process());
    const std::string alive = std::to_string(getppid());
    touch(folder / ("a.h5.tmp." + this_host() + "." + dead));
    touch(folder / ("b.h5.tmp." + this_host() + "." + alive));
    touch(folder / ("c.h5.tmp.other-host." + dead));
    touch(folder / ("d.h5.tmp.other-host.7"));
    fs::last_write_time(folder / "d.h5.tmp.other-host.7",
                        fs::file_time_type::clock::now() - std::chrono::hours(2));
    for (const char* name : {"e.tmp", "f.tmp.host.x", ".tmp.host.1", "g.h5"}) touch(folder / name);
    CHECK(sweep_temporary_files(folder.path()) == 2);
    CHECK_FALSE(fs::exists(folder / ("a.h5.tmp." + this_host() + "." + dead)));
    CHECK_FALSE(fs::exists(folder / "d.h5.tmp.other-host.7"));
    CHECK(files_in(folder.path()) == 6);
}

}  // namespace lockstep::storage
