// A store where nothing can be written is named before the first step, with 73 or 77, and is left
// as it is.

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRun = "three-classes";
constexpr const char* kNobody = "65534";

// A copy of experiments/smoke.toml that everyone may read: the project may lie in root's home.
std::string readable_smoke_file() {
    static const TemporaryDirectory folder;
    const fs::path copy = folder / "smoke.toml";
    if (!fs::exists(copy)) {
        fs::permissions(folder.path(), fs::perms(0755));
        fs::copy_file(smoke_file(), copy);
        fs::permissions(copy, fs::perms(0644));
    }
    return copy.string();
}

std::vector<std::string> training(const fs::path& store, const std::string& ranks = "1") {
    return lockstep_command({"run", readable_smoke_file(), "--only", kRun, "--ranks", ranks,
                             "--store", store.string()});
}

// Root passes over file modes, so it runs the command as nobody; anyone else does as he is.
std::vector<std::string> unprivileged(std::vector<std::string> command) {
    if (::geteuid() != 0) return command;
    std::vector<std::string> prefixed{"setpriv", std::string("--reuid=") + kNobody,
                                      "--clear-groups", std::string("--regid=") + kNobody};
    prefixed.insert(prefixed.end(), command.begin(), command.end());
    return prefixed;
}

// With `folder` mounted read-only for this command alone.
std::vector<std::string> on_read_only_mount(const fs::path& folder,
                                            const std::vector<std::string>& command) {
    std::vector<std::string> prefixed{
        "unshare",
        "-m",
        "sh",
        "-c",
        "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" && shift && exec \"$@\"",
        "sh",
        folder.string()};
    prefixed.insert(prefixed.end(), command.begin(), command.end());
    return prefixed;
}

// A folder for everyone to enter, with a finished run in store/.
class Place {
public:
    Place() {
        fs::permissions(folder_.path(), fs::perms(0755));
        Process process(training(store()));
        REQUIRE(process.wait() == 0);
    }
    fs::path store() const { return folder_ / "store"; }
    fs::path operator/(const std::string& name) const { return folder_ / name; }

private:
    TemporaryDirectory folder_;
};

void write_text(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

std::string listing(const fs::path& folder) {
    std::string text;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        text += entry.path().string() +
                (entry.is_regular_file() && !entry.is_symlink()
                     ? " " + std::to_string(entry.file_size())
                     : "") +
                "\n";
    }
    return text;
}

// Refused with this code by one line that names the path and the reason; no step was taken.
void check_refused(const std::vector<std::string>& command, int exit_code, const fs::path& named,
                   const std::string& reason) {
    Process process(command);
    CHECK(process.wait() == exit_code);
    const std::string errors = process.errors();
    INFO(errors);
    CHECK(errors.find(named.string()) != std::string::npos);
    CHECK(errors.find(reason) != std::string::npos);
    CHECK((errors + process.output()).find("Epoch ") == std::string::npos);
}

}  // namespace

TEST_CASE("places: a file, and links to nothing, where a folder is to be", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const std::string ranks = GENERATE("1", "2");
    CAPTURE(ranks);
    SECTION("the store is a file") {
        write_text(store, "x");
        check_refused(training(store, ranks), 73, store, "Not a directory");
        CHECK(read_text(store) == "x");
    }
    SECTION("a file is above it") {
        write_text(store, "x");
        check_refused(training(store / "in", ranks), 73, store, "Not a directory");
    }
    SECTION("the store is a link to nothing") {
        fs::create_symlink(folder / "gone", store);
        check_refused(training(store, ranks), 73, store,
                      "a link to " + (folder / "gone").string() + ", which is not there");
        CHECK_FALSE(fs::exists(folder / "gone"));
    }
    SECTION("its runs are a link to nothing") {
        fs::create_directory(store);
        fs::create_symlink("gone", store / "runs");
        check_refused(training(store, ranks), 73, store / "runs", "a link to gone");
    }
    SECTION("its runs are a file") {
        fs::create_directory(store);
        write_text(store / "runs", "x");
        check_refused(training(store, ranks), 73, store / "runs", "Not a directory");
    }
    SECTION("the database is a folder") {
        fs::create_directories(store / "lockstep.db");
        check_refused(training(store, ranks), 73, store / "lockstep.db",
                      "something that is no file stands there");
    }
    SECTION("the database is a link to nothing") {
        fs::create_directory(store);
        fs::create_symlink(folder / "gone.db", store / "lockstep.db");
        check_refused(training(store, ranks), 73, store / "lockstep.db",
                      "a link to " + (folder / "gone.db").string());
        CHECK_FALSE(fs::exists(folder / "gone.db"));
    }
}

TEST_CASE("places: a folder of files where a checkpoint is to be", "[end_to_end]") {
    const Place place;
    const fs::path checkpoint = run_folder(place.store(), kRun) / "checkpoint.h5";
    fs::remove(checkpoint);
    fs::create_directory(checkpoint);
    write_text(checkpoint / "content", "x");
    std::vector<std::string> anew = training(place.store());
    anew.emplace_back("--fresh");
    check_refused(anew, 73, checkpoint, "cannot remove");
    CHECK(read_text(checkpoint / "content") == "x");
}

// A report can be made again; a training that was not begun is lost time.
TEST_CASE("places: no room for a report is told before the first step, and at the end",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const std::string ranks = GENERATE("1", "2");
    CAPTURE(ranks);
    fs::create_directory(store);
    fs::path named = store / "reports";
    SECTION("a file") { write_text(named, "x"); }
    SECTION("a link to nothing, further down") {
        fs::create_directory(named);
        named = named / "smoke";
        fs::create_symlink("gone", named);
    }
    SECTION("a folder in the place of its page") {
        named = named / "smoke" / "report.html";
        fs::create_directories(named);
    }
    Process process(training(store, ranks));
    CHECK(process.wait() == 0);
    const std::string errors = process.errors();
    INFO(errors);
    const std::size_t warned = errors.find("warning: no report will be written: ");
    REQUIRE(warned != std::string::npos);
    CHECK(errors.find(named.string(), warned) < errors.find("Epoch 1/"));
    CHECK(errors.find("no report was written: ") != std::string::npos);
    CHECK(fs::exists(run_folder(store, kRun) / "final.h5"));
    // With the place free again.
    fs::remove(named);
    Process report(lockstep_command({"report", "--store", store.string()}));
    CHECK(report.wait() == 0);
    Process again(training(store, ranks));
    CHECK(again.wait() == 0);
    CHECK(again.errors().find("no report") == std::string::npos);
}

// Once all epochs are trained it would be too late to tell.
TEST_CASE("places: a folder where another of a run's files is to be", "[end_to_end]") {
    const std::string name = GENERATE("log.txt", "final.h5", "predictions.h5");
    const std::string ranks = GENERATE("1", "2");
    CAPTURE(name, ranks);
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const auto command = lockstep_command({"run", smoke_file(), "--only", "batch-normalized",
                                           "--set", "train.epochs=3", "--ranks", ranks, "--store",
                                           store.string(), "--max-restarts", "0"});
    std::vector<std::string> killed = command;  // in epoch 3, after the checkpoint of epoch 1
    killed.insert(killed.begin(), {"env", "LOCKSTEP_FAULT=step.begin@rank=0@step=25:kill"});
    Process first(killed);
    REQUIRE(first.wait() == 137);
    const fs::path file = run_folder(store, "batch-normalized") / name;
    fs::remove(file);
    fs::create_directory(file);
    write_text(file / "content", "x");

    check_refused(command, 73, file, "cannot write ");
    CHECK(read_text(file / "content") == "x");
    fs::remove_all(file);
    Process resumed(command);
    CHECK(resumed.wait() == 0);
    INFO(resumed.errors());
    CHECK(resumed.errors().find("resumed after epoch") != std::string::npos);
}

TEST_CASE("places: what stands where mpirun's words are to be is no reason not to train",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    fs::create_directory(store);
    SECTION("a folder") { fs::create_directory(store / "mpirun.log"); }
    SECTION("a FIFO that nobody reads") {
        REQUIRE(::mkfifo((store / "mpirun.log").c_str(), 0600) == 0);
    }
    std::vector<std::string> command = training(store, "2");
    command.insert(command.begin(), {"env", "LOCKSTEP_FAULT=epoch.end@rank=1@attempt=1:kill"});
    Process process(command);
    CHECK(process.wait() == 0);
    INFO(process.errors());
    CHECK(process.errors().find("the ranks start again") != std::string::npos);
    CHECK(fs::exists(run_folder(store, kRun) / "final.h5"));
}

// A user may keep a store on another disk, so a link to a folder is followed, and stays a link.
TEST_CASE("places: a link to a folder outside is followed", "[end_to_end]") {
    const TemporaryDirectory folder;
    fs::create_directory(folder / "elsewhere");
    fs::create_directory_symlink(folder / "elsewhere", folder / "store");
    Process process(training(folder / "store"));
    INFO(process.errors());
    CHECK(process.wait() == 0);
    CHECK(fs::is_symlink(folder / "store"));
    CHECK(fs::exists(run_folder(folder / "elsewhere", kRun) / "final.h5"));
}

// What is outside of the store is not written through a link in it.
TEST_CASE("places: a link of a file's name is replaced, and what it points to stays",
          "[end_to_end]") {
    const Place place;
    const fs::path files = run_folder(place.store(), kRun);
    for (const char* name : {"checkpoint.h5", "final.h5", "predictions.h5", "effective.toml"}) {
        write_text(place / name, "outside");
        fs::remove(files / name);
        fs::create_symlink(place / name, files / name);
    }
    std::vector<std::string> anew = training(place.store());
    anew.emplace_back("--fresh");
    Process process(anew);
    CHECK(process.wait() == 0);
    INFO(process.errors());
    for (const char* name : {"checkpoint.h5", "final.h5", "predictions.h5", "effective.toml"}) {
        CAPTURE(name);
        CHECK(read_text(place / name) == "outside");
        CHECK(fs::is_regular_file(fs::symlink_status(files / name)));
    }
}

TEST_CASE("places: a user who may not write there", "[end_to_end]") {
    const Place place;
    // He may run the program and write elsewhere, so it is the place that is refused below.
    fs::create_directory(place / "open");
    fs::permissions(place / "open", fs::perms(0777));
    Process elsewhere(unprivileged(training(place / "open" / "store")));
    const int exit_code = elsewhere.wait();
    INFO(elsewhere.errors());
    REQUIRE(exit_code == 0);
    if (::geteuid() != 0) fs::permissions(place.store(), fs::perms(0555));

    const std::string before = listing(place.store());
    check_refused(unprivileged(training(place.store())), 77, place.store(), "Permission denied");
    if (::geteuid() == 0)
        check_refused(unprivileged(training(place / "new")), 77, place / "new",
                      "Permission denied");
    CHECK(listing(place.store()) == before);
    Process reading(unprivileged(lockstep_command({"ls", "--store", place.store().string()})));
    CHECK(reading.wait() == 0);
    CHECK(reading.output().find(kRun) != std::string::npos);
    fs::permissions(place.store(), fs::perms(0755));
}

TEST_CASE("places: a database, or a run's folder, that may only be read", "[end_to_end]") {
    const Place place;
    const fs::path files = run_folder(place.store(), kRun);
    for (const fs::path& folder :
         {place.store(), place.store() / "runs", place.store() / "reports"})
        fs::permissions(folder, fs::perms(0777));
    SECTION("the database") {
        fs::permissions(place.store() / "lockstep.db", fs::perms(0444));
        check_refused(unprivileged(training(place.store())), 77, place.store() / "lockstep.db",
                      "the file's modes forbid it");
    }
    SECTION("the run's folder") {
        fs::permissions(place.store() / "lockstep.db", fs::perms(0666));
        fs::permissions(files, fs::perms(0555));
        std::vector<std::string> anew = training(place.store());
        anew.emplace_back("--fresh");
        check_refused(unprivileged(anew), 77, files, "Permission denied");
        fs::permissions(files, fs::perms(0755));
    }
}

TEST_CASE("places: a full folder for temporary files is told before Open MPI ends by it",
          "[end_to_end][.needs-mounts]") {
    const TemporaryDirectory folder;
    const std::string ranks = GENERATE("1", "2");
    CAPTURE(ranks);
    std::vector<std::string> command{
        "unshare",
        "-m",
        "sh",
        "-c",
        "mount -t tmpfs -o size=4m none \"$1\" && export TMPDIR=\"$1\" && shift && exec \"$@\"",
        "sh",
        (folder / "small").string()};
    fs::create_directory(folder / "small");
    const auto full = training(folder / "store", ranks);
    command.insert(command.end(), full.begin(), full.end());
    check_refused(command, 74, folder / "small", "4096 KiB are free in");
    CHECK_FALSE(fs::exists(folder / "store"));
}

TEST_CASE("places: a mount that can only be read", "[end_to_end][.needs-mounts]") {
    const Place place;
    const std::string before = listing(place.store());
    const fs::path store = place.store();
    check_refused(on_read_only_mount(store, training(store)), 77, store, "Read-only file system");
    check_refused(on_read_only_mount(store, training(store / "new", "2")), 77, store / "new",
                  "Read-only file system");
    for (const std::vector<std::string>& verb : std::vector<std::vector<std::string>>{
             {"rm", kRun, "--yes"}, {"tag", kRun, "+good"}, {"fsck", "--repair"}}) {
        CAPTURE(verb.front());
        std::vector<std::string> arguments = verb;
        arguments.insert(arguments.end(), {"--store", store.string()});
        Process writing(on_read_only_mount(store, lockstep_command(arguments)));
        CHECK(writing.wait() == 77);
    }
    for (const std::vector<std::string>& verb :
         std::vector<std::vector<std::string>>{{"ls"}, {"show", kRun}, {"fsck"}}) {
        CAPTURE(verb.front());
        std::vector<std::string> arguments = verb;
        arguments.insert(arguments.end(), {"--store", store.string()});
        Process reading(on_read_only_mount(store, lockstep_command(arguments)));
        CHECK(reading.wait() == 0);
    }
    CHECK(listing(store) == before);
}

}  // namespace lockstep::tests
