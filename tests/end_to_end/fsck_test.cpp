// Stores that were damaged: `fsck` names what is wrong, `--repair` mends it without taking anything
// of use away, and training goes on to the bytes it would have ended with.

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include "storage/database/run_database.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using storage::DatabaseAccess;
using storage::RunDatabase;
using storage::RunState;

constexpr const char* kRun = "batch-normalized";

// A copy of a store in which every run is finished, to be damaged.
class Damaged {
public:
    Damaged() { fs::copy(finished_store(), store(), fs::copy_options::recursive); }

    fs::path store() const { return folder_ / "store"; }
    fs::path run(const char* name = kRun) const { return run_folder(store(), name); }
    std::string id() const { return run().filename(); }
    fs::path lost(const fs::path& file) const {
        return store() / "lost+found" / file.lexically_relative(store());
    }
    RunDatabase database() const { return {store() / "lockstep.db", DatabaseAccess::read_write}; }
    void set_state(RunState state) const {
        database().set_state_by_hand(id(), database().find_run(id())->state, state, "by a test",
                                     "2026-01-01T00:00:00.000Z");
    }
    RunState state() const { return database().find_run(id())->state; }

    Result fsck(bool repairs) const {
        std::vector<std::string> words{"fsck", "--store", store().string(), "--format", "csv"};
        if (repairs) words.emplace_back("--repair");
        return lockstep(words);
    }
    Result train() const {
        return lockstep(
            {"run", smoke_file(), "--store", store().string(), "--ranks", "1", "--quiet"});
    }
    // Found and named without --repair, which changes nothing; mended with it; then sound.
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
    }

private:
    TemporaryDirectory folder_;
};

void flip_bit(const fs::path& file, std::uintmax_t place) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(place));
    const char byte = static_cast<char>(stream.get() ^ 0x10);
    stream.seekp(static_cast<std::streamoff>(place));
    stream.put(byte);
}

void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

const std::vector<std::string>& results() {
    static const std::vector<std::string> kResults{"best.h5", "final.h5", "predictions.h5",
                                                   "effective.toml"};
    return kResults;
}

void check_same_results(const Damaged& damaged) {
    for (const std::string& name : results()) {
        INFO(name);
        CHECK(read_text(damaged.run() / name) ==
              read_text(run_folder(finished_store(), kRun) / name));
    }
}

TEST_CASE("A store after training is sound", "[end_to_end]") {
    const Damaged damaged;
    const Result result = damaged.fsck(false);
    INFO(result.output);
    CHECK(result.exit_code == 0);
    CHECK_FALSE(fs::exists(damaged.store() / "lost+found"));
}

TEST_CASE("fsck mends every result of a finished run to the same bytes", "[end_to_end]") {
    for (const std::string& name : results()) {
        for (const char* damage : {"flipped", "cut", "empty", "deleted"}) {
            INFO(name << " " << damage);
            const Damaged damaged;
            const fs::path file = damaged.run() / name;
            const std::string how = damage;
            if (how == "flipped") flip_bit(file, fs::file_size(file) / 2);
            if (how == "cut") fs::resize_file(file, fs::file_size(file) / 2);
            if (how == "empty") fs::resize_file(file, 0);
            if (how == "deleted") fs::remove(file);
            damaged.check_mended(name);
            const Result again = damaged.train();
            INFO(again.errors);
            CHECK(again.exit_code == 0);
            CHECK(damaged.state() == RunState::finished);
            check_same_results(damaged);
            CHECK(damaged.fsck(false).exit_code == 0);
        }
    }
}

TEST_CASE("A damaged checkpoint gives way to the one before, and the run ends the same",
          "[end_to_end]") {
    const Damaged damaged;
    damaged.set_state(RunState::interrupted);
    const fs::path file = damaged.run() / "checkpoint.h5";
    const std::string before = read_text(damaged.run() / "checkpoint.prev.h5");
    SECTION("flipped bit") { flip_bit(file, fs::file_size(file) / 2); }
    SECTION("cut by a byte") { fs::resize_file(file, fs::file_size(file) - 1); }
    SECTION("empty") { fs::resize_file(file, 0); }
    SECTION("deleted") { fs::remove(file); }
    const bool was_there = fs::exists(file);
    damaged.check_mended("checkpoint.h5");
    CHECK(read_text(file) == before);
    CHECK_FALSE(fs::exists(damaged.run() / "checkpoint.prev.h5"));
    CHECK(fs::exists(damaged.lost(file)) == was_there);
    CHECK(damaged.train().exit_code == 0);
    check_same_results(damaged);
    CHECK(damaged.fsck(false).exit_code == 0);
}

TEST_CASE("A damaged previous checkpoint is put aside, the good one stays", "[end_to_end]") {
    const Damaged damaged;
    const std::string good = read_text(damaged.run() / "checkpoint.h5");
    flip_bit(damaged.run() / "checkpoint.prev.h5", 3000);
    damaged.check_mended("checkpoint.prev.h5");
    CHECK(read_text(damaged.run() / "checkpoint.h5") == good);
}

TEST_CASE("A run without any good checkpoint never begins anew in silence", "[end_to_end]") {
    const Damaged damaged;
    damaged.set_state(RunState::interrupted);
    SECTION("both damaged") {
        fs::resize_file(damaged.run() / "checkpoint.h5", 100);
        fs::resize_file(damaged.run() / "checkpoint.prev.h5", 0);
    }
    SECTION("both deleted") {
        fs::remove(damaged.run() / "checkpoint.h5");
        fs::remove(damaged.run() / "checkpoint.prev.h5");
    }
    SECTION("the folder is gone") { fs::remove_all(damaged.run()); }
    const Result mended = damaged.fsck(true);
    INFO(mended.output);
    CHECK(mended.exit_code == 0);
    const Result refused = damaged.train();
    CHECK(refused.exit_code == 1);
    CHECK(refused.errors.find("--retry-failed") != std::string::npos);
    CHECK(lockstep({"run", smoke_file(), "--store", damaged.store().string(), "--ranks", "1",
                    "--quiet", "--retry-failed"})
              .exit_code == 0);
    check_same_results(damaged);
}

TEST_CASE("A crash between the renames and the row of a checkpoint is mended", "[end_to_end]") {
    const Damaged damaged;
    damaged.set_state(RunState::interrupted);
    const fs::path file = damaged.run() / "checkpoint.h5";
    const fs::path previous = damaged.run() / "checkpoint.prev.h5";
    SECTION("after the first rename") { fs::rename(file, previous); }
    SECTION("after the promotion of the one before") { fs::rename(previous, file); }
    damaged.check_mended("checkpoint.h5");
    CHECK(damaged.train().exit_code == 0);
    check_same_results(damaged);
}

TEST_CASE("A checkpoint whose rows were deleted is taken up again", "[end_to_end]") {
    const Damaged damaged;
    damaged.set_state(RunState::interrupted);
    {
        RunDatabase database = damaged.database();
        database.remove_artifact(damaged.id(), storage::kCheckpointArtifact);
        database.remove_artifact(damaged.id(), storage::kPreviousCheckpointArtifact);
    }
    const Result refused = damaged.train();
    INFO(refused.errors);
    CHECK(refused.exit_code == 65);
    CHECK(refused.errors.find("2 epochs of it are in the run database, and no checkpoint: "
                              "`lockstep fsck --repair`") != std::string::npos);
    damaged.check_mended("no row tells of it");
    CHECK(damaged.train().exit_code == 0);
    check_same_results(damaged);
}

TEST_CASE("A run whose checkpoints are lost with their rows never begins anew in silence",
          "[end_to_end]") {
    const Damaged damaged;
    damaged.set_state(RunState::interrupted);
    {
        RunDatabase database = damaged.database();
        for (const auto kind : {storage::kCheckpointArtifact, storage::kPreviousCheckpointArtifact})
            database.remove_artifact(damaged.id(), kind);
    }
    for (const char* file : {"checkpoint.h5", "checkpoint.prev.h5"})
        fs::remove(damaged.run() / file);
    for (int start = 1; start <= 2; ++start) {
        const Result refused = damaged.train();
        INFO(refused.errors);
        CHECK(refused.exit_code == 65);
        CHECK(refused.errors.find("--fresh") != std::string::npos);
        CHECK(damaged.state() == RunState::interrupted);
        CHECK(damaged.database().epochs(damaged.id()).size() == 2);
    }
    SECTION("--fresh begins it anew") {
        CHECK(lockstep({"run", smoke_file(), "--store", damaged.store().string(), "--ranks", "1",
                        "--only", kRun, "--fresh"})
                  .exit_code == 0);
    }
    SECTION("fsck gives it up") {
        damaged.check_mended("no checkpoint can be used: no row tells of one");
        CHECK(damaged.state() == RunState::failed);
        CHECK(lockstep({"run", smoke_file(), "--store", damaged.store().string(), "--ranks", "1",
                        "--retry-failed"})
                  .exit_code == 0);
    }
    check_same_results(damaged);
}

TEST_CASE("Results whose rows were deleted get them back, or are made again", "[end_to_end]") {
    using Kinds = std::vector<std::string_view>;
    for (const std::string_view kind :
         Kinds{storage::kBestArtifact, storage::kFinalArtifact, storage::kPredictionsArtifact,
               storage::kEffectiveConfigArtifact}) {
        INFO(kind);
        const Damaged damaged;
        damaged.database().remove_artifact(damaged.id(), kind);
        damaged.check_mended("no row tells of it");
        CHECK(damaged.train().exit_code == 0);
        check_same_results(damaged);
        CHECK(damaged.database().artifact(damaged.id(), kind));
        CHECK(damaged.state() == RunState::finished);
    }
}

TEST_CASE("A note that is no UTF-8 is found, and becomes one", "[end_to_end]") {
    const Damaged damaged;
    damaged.database().annotate(damaged.id(), {.note = "caf\xe9"});
    damaged.check_mended("its note is no UTF-8: \"\"caf\\xe9\"\"");
    CHECK(damaged.database().find_run(damaged.id())->notes == "caf\\xe9");
}

TEST_CASE("A dead `running` becomes `interrupted`", "[end_to_end]") {
    const Damaged damaged;
    damaged.set_state(RunState::running);
    damaged.check_mended("nobody trains it");
    CHECK(damaged.state() == RunState::interrupted);
    CHECK(damaged.train().exit_code == 0);
    check_same_results(damaged);
}

TEST_CASE("What is unknown is moved, dead temporary files are removed, live ones stay",
          "[end_to_end]") {
    const Damaged damaged;
    std::string host(256, '\0');
    REQUIRE(::gethostname(host.data(), host.size()) == 0);
    host.resize(host.find('\0'));
    struct stat name_space {};
    REQUIRE(::stat("/proc/self/ns/pid", &name_space) == 0);
    host += "-" + std::to_string(name_space.st_ino);
    const fs::path stranger = damaged.store() / "notes of mine.txt";
    const fs::path in_run = damaged.run() / "plot.png";
    const fs::path orphan = damaged.store() / "runs" / "nobody-12345678";
    const fs::path dead = damaged.run() / ("final.h5.tmp." + host + ".2147483646");
    const fs::path live =
        damaged.run() / ("best.h5.tmp." + host + "." + std::to_string(::getpid()));
    write(stranger, "keep");
    write(in_run, "picture");
    fs::create_directories(orphan);
    write(orphan / "checkpoint.h5", "weights");
    write(dead, "half");
    write(live, "half");
    damaged.check_mended("notes of mine.txt");
    CHECK(read_text(damaged.lost(stranger)) == "keep");
    CHECK(read_text(damaged.lost(in_run)) == "picture");
    CHECK(read_text(damaged.lost(orphan) / "checkpoint.h5") == "weights");
    CHECK_FALSE(fs::exists(dead));
    CHECK(fs::exists(live));
    CHECK_FALSE(fs::exists(orphan));
}

TEST_CASE("A run whose row was deleted leaves a folder that is put aside", "[end_to_end]") {
    const Damaged damaged;
    const fs::path folder = damaged.run();
    damaged.database().remove_run(damaged.id());
    damaged.check_mended("the database knows no such run");
    CHECK(fs::exists(damaged.lost(folder) / "final.h5"));
}

TEST_CASE("Results that the database does not know are no reason to begin anew in silence",
          "[end_to_end]") {
    const Damaged damaged;
    const fs::path folder = damaged.run();
    const std::string checkpoint = read_text(folder / "checkpoint.h5");
    if (GENERATE(true, false)) {
        damaged.database().remove_run(damaged.id());
        fs::remove(folder / "final.h5");
    } else {
        fs::remove(damaged.store() / "lockstep.db");
    }
    for (int start = 1; start <= 2; ++start) {
        const Result refused = lockstep({"run", smoke_file(), "--only", kRun, "--store",
                                         damaged.store().string(), "--ranks", "1"});
        INFO(refused.errors);
        CHECK(refused.exit_code == 65);
        CHECK(refused.errors.find("knows nothing of " + folder.string()) != std::string::npos);
        CHECK(read_text(folder / "checkpoint.h5") == checkpoint);
    }
    SECTION("fsck puts them aside") {
        CHECK(damaged.fsck(true).exit_code == 0);
        CHECK(read_text(damaged.lost(folder) / "checkpoint.h5") == checkpoint);
        CHECK(damaged.train().exit_code == 0);
        check_same_results(damaged);
    }
    SECTION("--fresh removes them") {
        CHECK(lockstep({"run", smoke_file(), "--store", damaged.store().string(), "--ranks", "1",
                        "--fresh"})
                  .exit_code == 0);
        check_same_results(damaged);
    }
}

TEST_CASE("A damaged database is made anew from what can be read, and the old one kept",
          "[end_to_end]") {
    const Damaged damaged;
    const fs::path file = damaged.store() / "lockstep.db";
    {
        const int page = std::stoi(
            rows(damaged.store(), "select rootpage from sqlite_schema where name = 'steps'"));
        std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekp(static_cast<std::streamoff>(page - 1) * 4096);
        stream << std::string(4096, '\xff');
    }
    const std::string broken = read_text(file);
    const Result found = damaged.fsck(false);
    CHECK(found.exit_code == 65);
    CHECK(found.output.find("damaged") != std::string::npos);
    CHECK(read_text(file) == broken);
    CHECK(damaged.fsck(true).exit_code == 0);
    CHECK(read_text(damaged.lost(file)) == broken);
    CHECK(damaged.fsck(false).exit_code == 0);
    CHECK(damaged.train().exit_code == 0);
}

TEST_CASE("A database that is none, or lost, is told and left alone", "[end_to_end]") {
    const Damaged damaged;
    const fs::path file = damaged.store() / "lockstep.db";
    SECTION("garbage") { write(file, std::string(8192, 'x')); }
    SECTION("cut to nothing") { fs::resize_file(file, 0); }
    SECTION("deleted") { fs::remove(file); }
    const Result result = damaged.fsck(true);
    INFO(result.output);
    CHECK(result.exit_code == 65);
    CHECK(fs::exists(damaged.run() / "final.h5"));
    CHECK_FALSE(fs::exists(damaged.store() / "lost+found" / "runs"));
}

TEST_CASE("A run that is being trained is left alone by fsck, rm and gc", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string store = (folder / "store").string();
    Process training(lockstep_command({"run", smoke_file(), "--only", kRun, "--set",
                                       "train.epochs=1000000", "--ranks", "1", "--store", store}));
    wait_until([&] {
        return fs::exists(folder / "store/runs") && !fs::is_empty(folder / "store/runs") &&
               fs::exists(run_folder(store, kRun) / "checkpoint.h5");
    });
    pause_outside_of_transactions(training, store);
    const Result checked = lockstep({"fsck", "--repair", "--store", store});
    INFO(checked.output << checked.errors);
    CHECK(checked.exit_code == 0);
    CHECK(checked.output.find("is being trained") != std::string::npos);
    const Result refused = lockstep({"rm", kRun, "--yes", "--store", store});
    CHECK(refused.exit_code == 73);
    CHECK(refused.errors.find("is being trained") != std::string::npos);
    CHECK(lockstep({"gc", "--yes", "--store", store}).exit_code == 0);
    CHECK(fs::exists(run_folder(store, kRun) / "checkpoint.h5"));
    training.send(SIGCONT);
    training.send(SIGUSR1);
    CHECK(training.wait() == 75);
}

}  // namespace
}  // namespace lockstep::tests
