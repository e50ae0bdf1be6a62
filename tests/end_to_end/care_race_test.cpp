// `gc`, `fsck --repair` and `rm` are stopped between what they judged and what they do about it; a
// training takes place meanwhile, to its end, and nothing of it is taken away.

#include <csignal>
#include <string>
#include <vector>

#include "storage/database/run_database.hpp"
#include "tests/end_to_end/in_terminal.hpp"
#include "tests/end_to_end/one_run.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using storage::RunDatabase;

constexpr const char* kOther = "three-classes";

// A copy of a store in which every run is finished.
class Store {
public:
    Store() { fs::copy(finished_store(), path(), fs::copy_options::recursive); }

    fs::path path() const { return folder_ / "store"; }
    fs::path run() const { return path() / "runs" / id_; }
    RunDatabase database() const {
        return {path() / "lockstep.db", storage::DatabaseAccess::read_write};
    }
    // Its row and its files.
    void lose_run() const {
        database().remove_run(id_);
        fs::remove_all(run());
    }
    void train(const std::vector<std::string>& more = {}) const {
        std::vector<std::string> words{"run", smoke_file(), "--only",  kOneRun,        "--ranks",
                                       "1",   "--quiet",    "--store", path().string()};
        words.insert(words.end(), more.begin(), more.end());
        const Result result = lockstep(words);
        INFO(result.errors);
        REQUIRE(result.exit_code == 0);
    }
    void check_whole() const {
        CHECK(fs::exists(run() / "checkpoint.h5"));
        CHECK(read_text(run() / "final.h5") ==
              read_text(run_folder(finished_store(), kOneRun) / "final.h5"));
        CHECK(rows(path(),
                   "select count(*) from v_runs where name = 'batch-normalized' and "
                   "state = 'finished'") == "1\n");
        CHECK_FALSE(fs::exists(path() / "lost+found"));
        const Result sound = lockstep({"fsck", "--store", path().string()});
        INFO(sound.output);
        CHECK(sound.exit_code == 0);
    }

private:
    TemporaryDirectory folder_;
    std::string id_ = run_folder(finished_store(), kOneRun).filename();
};

// Stops before its first transaction.
class Stopped {
public:
    Stopped(const Store& store, std::vector<std::string> words)
        : process_(command(store, std::move(words))) {
        wait_until([&] {
            const std::string status = "/proc/" + std::to_string(process_.pid()) + "/status";
            return contains(read_text(status), "(stopped)");
        });
    }
    Result go_on() {
        process_.send(SIGCONT);
        const int exit_code = process_.wait();
        return {exit_code, process_.output(), process_.errors()};
    }

private:
    static std::vector<std::string> command(const Store& store, std::vector<std::string> words) {
        words.insert(words.end(), {"--store", store.path().string()});
        return with_variable("LOCKSTEP_FAULT=db.begin@count=1:stop", lockstep_command(words));
    }
    Process process_;
};

TEST_CASE("gc leaves the folder of a run that was trained since it was listed", "[end_to_end]") {
    const Store store;
    store.lose_run();
    fs::create_directory(store.run());  // as `rm` leaves it that is killed
    Stopped gc(store, {"gc", "--yes"});
    store.train();
    const Result result = gc.go_on();
    INFO(result.errors);
    CHECK(result.exit_code == 0);
    CHECK(contains(result.output, store.run().filename()));  // it was listed
    CHECK_FALSE(fs::exists(run_folder(store.path(), kOther) / "checkpoint.h5"));
    store.check_whole();
}

TEST_CASE("gc leaves it too where a person took the time to answer", "[end_to_end]") {
    const Store store;
    store.lose_run();
    fs::create_directory(store.run());
    InTerminal gc(lockstep_command({"gc", "--store", store.path().string()}));
    REQUIRE(contains(gc.read_until("[y/N]"), "orphan"));
    store.train();
    gc.type("y\n");
    CHECK(contains(gc.read_until("freed bytes"), "freed bytes"));
    CHECK(gc.wait() == 0);
    store.check_whole();
}

TEST_CASE("gc leaves the checkpoint of a run that was trained anew since", "[end_to_end]") {
    const Store store;
    Stopped gc(store, {"gc", "--yes"});
    store.train({"--fresh"});
    CHECK(gc.go_on().exit_code == 0);
    CHECK_FALSE(fs::exists(run_folder(store.path(), kOther) / "checkpoint.h5"));
    store.check_whole();
}

TEST_CASE("fsck --repair leaves the folder of a run that began while it mended others",
          "[end_to_end]") {
    const Store store;
    store.lose_run();
    const std::string other = run_folder(store.path(), kOther).filename();
    store.database().annotate(other, {.note = "caf\xe9"});
    Stopped fsck(store, {"fsck", "--repair"});
    store.train();
    const Result result = fsck.go_on();
    INFO(result.output << result.errors);
    CHECK(result.exit_code == 0);
    CHECK(contains(result.output, "its note is no UTF-8"));
    store.check_whole();
}

TEST_CASE("rm refuses a run that was trained anew since it was chosen", "[end_to_end]") {
    const Store store;
    Stopped rm(store, {"rm", kOneRun, "--yes"});
    store.train({"--fresh"});
    const Result result = rm.go_on();
    CHECK(result.exit_code == 73);
    CHECK(contains(result.errors, "was begun again since it was listed"));
    store.check_whole();
}

// The folder may be none of a store's: a mistyped --store.
TEST_CASE("fsck --repair moves nothing where there is no database yet", "[end_to_end]") {
    const TemporaryDirectory folder;
    fs::create_directories(folder / "home/documents");
    fs::create_directories(folder / "home/runs/begins-12345678");
    const Result result = lockstep({"fsck", "--repair", "--store", (folder / "home").string()});
    INFO(result.output);
    CHECK(result.exit_code == 65);
    CHECK(contains(result.output, "nothing that Lockstep knows"));
    CHECK(fs::exists(folder / "home/documents"));
    CHECK(fs::exists(folder / "home/runs/begins-12345678"));
    CHECK_FALSE(fs::exists(folder / "home/lost+found"));
}

}  // namespace
}  // namespace lockstep::tests
