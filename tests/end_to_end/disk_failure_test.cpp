// A disk that fails at one call: the run ends with the code that tells it, what is stored stays as
// it is, and the same command goes on to the same bytes.

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRun = "batch-normalized";

// The n-th call of `function` on what is called `name...` in the store fails with `error`; with -n
// all from there on (preloaded/failing_calls.cpp).
struct FailingCall {
    const char* function;
    const char* name;
    int number;
    int error;
};

std::vector<std::string> training(const fs::path& store) {
    return lockstep_command(
        {"run", smoke_file(), "--only", kRun, "--ranks", "1", "--store", store.string()});
}

fs::path mark_of_failure(const fs::path& store) { return store.string() + ".failed"; }

std::vector<std::string> failing(const FailingCall& call, const fs::path& store,
                                 const std::vector<std::string>& command) {
    const std::string failure = std::string("LOCKSTEP_TEST_FAILURE=") + call.function + " " +
                                call.name + " " + std::to_string(call.number) + " " +
                                std::to_string(call.error) + " " + store.string();
    return preloading(LOCKSTEP_FAILING_CALLS, {failure}, command);
}

// A store in which another run is finished.
const fs::path& store_before() {
    static const TemporaryDirectory folder;
    static const fs::path path = [] {
        REQUIRE(lockstep({"run", smoke_file(), "--only", "three-classes", "--ranks", "1", "--store",
                          (folder / "store").string()})
                    .exit_code == 0);
        return folder / "store";
    }();
    return path;
}

const std::string& expected_weights() {
    static const std::string bytes = [] {
        const TemporaryDirectory folder;
        CHECK(Process(training(folder / "store")).wait() == 0);
        return read_text(run_folder(folder / "store", kRun) / "final.h5");
    }();
    return bytes;
}

std::string finished_before(const fs::path& store) {
    std::string text = read_text(run_folder(store, "three-classes") / "final.h5") +
                       read_text(run_folder(store, "three-classes") / "predictions.h5");
    for (const char* table : {"runs", "attempts", "epochs", "metrics", "artifacts"})
        text += rows(store, std::string("select * from ") + table +
                                " where run like 'three-classes-%' order by 1, 2, 3");
    return text;
}

void check_unharmed_and_resumed(const fs::path& store) {
    CHECK(finished_before(store) == finished_before(store_before()));
    Process again(training(store));
    CHECK(again.wait() == 0);
    INFO(again.errors());
    CHECK(rows(store, "select name, state from runs order by name") ==
          "batch-normalized,finished\nthree-classes,finished\n");
    CHECK(read_text(run_folder(store, kRun) / "final.h5") == expected_weights());
    CHECK(rows(store,
               "select count(*), count(distinct epoch) from epochs where run like "
               "'batch-normalized-%'") == "2,2\n");
}

// Returns what the run said.
std::string check_failure(const FailingCall& call, int exit_code) {
    INFO(call.function << " " << call.name << " " << call.number);
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    fs::copy(store_before(), store, fs::copy_options::recursive);
    Process failed(failing(call, store, training(store)));
    CHECK(failed.wait() == exit_code);
    CHECK(fs::exists(mark_of_failure(store)));  // else the call was never made
    const std::string errors = failed.errors();
    INFO(errors);
    CHECK(errors.find("lockstep: ") != std::string::npos);
    CHECK(rows(store, "select count(*) from runs where state = 'running'") == "0\n");
    check_unharmed_and_resumed(store);
    return errors;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("A file that cannot be made durable, named or written ends the run with 74",
          "[end_to_end]") {
    const std::string io = "Input/output error", full = "No space left on device";
    const auto words = [](const FailingCall& call) { return check_failure(call, 74); };
    CHECK(contains(words({"fsync", "effective.toml", 1, EIO}), "effective.toml: " + io));
    CHECK(contains(words({"fsync", "batch-normalized-", 4, EIO}), "cannot make durable"));
    CHECK(contains(words({"rename", "checkpoint.h5", 2, EIO}), "checkpoint.h5: " + io));
    CHECK(contains(words({"rename", "checkpoint.prev.h5", 1, EIO}), "checkpoint.prev.h5: " + io));
    CHECK(contains(words({"write", "final.h5", 1, ENOSPC}), "final.h5: " + full));
}

TEST_CASE("A run database that cannot be written ends the run with 74", "[end_to_end]") {
    const auto words = [](const FailingCall& call) { return check_failure(call, 74); };
    CHECK(contains(words({"fdatasync", "lockstep.db", 12, EIO}), "lockstep.db: disk I/O error"));
    CHECK(contains(words({"pwrite64", "lockstep.db", 70, ENOSPC}), "lockstep.db: "));
}

TEST_CASE("A disk without room for a run's checkpoints is told before the first step",
          "[end_to_end]") {
    const std::string words = check_failure({"statvfs", "batch-normalized-", 1, 1}, 74);
    CHECK(contains(words, "0 bytes are free in "));
    CHECK_FALSE(contains(words, "Epoch 1/"));
}

TEST_CASE("Runs that are trained do not hide that another one was not begun for want of room",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const auto all =
        lockstep_command({"run", smoke_file(), "--ranks", "1", "--store", store.string()});
    Process failed(failing({"statvfs", "batch-normalized-", 1, 1}, store, all));
    CHECK(failed.wait() == 74);
    INFO(failed.errors());
    CHECK(rows(store, "select state, count(*) from runs group by state order by 1") ==
          "finished,3\nqueued,1\n");
    CHECK(Process(all).wait() == 0);
    CHECK(rows(store, "select count(*) from runs where state = 'finished'") == "4\n");
}

TEST_CASE("A report that cannot be made durable costs the report alone", "[end_to_end]") {
    const FailingCall call{"fsync", "report.html", 1, EIO};
    CHECK(contains(check_failure(call, 0), "no report was written: "));
}

// Its error comes while the next epoch goes on.
TEST_CASE("After an epoch that could not be recorded none is", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const std::string ranks = GENERATE("1", "2");
    const std::vector<std::string> command =
        lockstep_command({"run", smoke_file(), "--only", kRun, "--set", "train.epochs=1000000",
                          "--ranks", ranks, "--store", store.string()});
    Process failed(failing({"fsync", "checkpoint.h5", 3, ENOSPC}, store, command));
    CHECK(failed.wait() == 74);
    const std::string errors = failed.errors(), full = "No space left on device";
    INFO(errors);
    CHECK(contains(errors, full));
    CHECK(errors.find(full) == errors.rfind(full));
    CHECK(rows(store, "select count(*), max(epoch) from epochs") == "2,2\n");
    CHECK(rows(store, "select state, cause like '%No space left%' from v_runs") ==
          "interrupted,1\n");
    CHECK(rows(store, "select epoch from artifacts where kind = 'checkpoint'") == "2\n");
}

TEST_CASE("Under mpirun a disk that fails on rank 0 ends all ranks", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    fs::copy(store_before(), store, fs::copy_options::recursive);
    std::vector<std::string> command = training(store);
    command.erase(std::find(command.begin(), command.end(), "--ranks"),
                  std::find(command.begin(), command.end(), "--store"));
    Process failed(
        mpirun_of_two(failing({"fsync", "checkpoint.h5", 2, ENOSPC}, store, command), command));
    CHECK(failed.wait() == 74);
    CHECK(contains(failed.errors(), "checkpoint.h5: No space left on device"));
    CHECK(rows(store, "select state, cause like '%No space left%' from v_runs where name = '" +
                          std::string(kRun) + "'") == "interrupted,1\n");
    check_unharmed_and_resumed(store);
}

// Of an eighth of a second each.
std::vector<std::string> long_training(const fs::path& store, const char* epochs) {
    std::vector<std::string> command = training(store);
    command.insert(command.end(), {"--set", std::string("train.epochs=") + epochs, "--set",
                                   "data.training_samples=20000"});
    return command;
}

void make_space(const fs::path& store) { std::ofstream(store.string() + ".space") << "x"; }

TEST_CASE("A disk that is full under the database alone does not end a training", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    Process going(
        failing({"pwrite64", "lockstep.db", -400, ENOSPC}, store, long_training(store, "100000")));
    const auto spool = [&] { return run_folder(store, kRun) / "spool-1.jsonl"; };
    wait_until([&] {
        return !going.is_running() || (fs::exists(mark_of_failure(store)) && fs::exists(spool()) &&
                                       fs::file_size(spool()) > 4096);
    });
    INFO(going.errors());
    CHECK(going.is_running());
    SECTION("the rows are taken in when there is space") {
        make_space(store);
        wait_until([&] { return !going.is_running() || !fs::exists(spool()); });
        going.send(SIGTERM);
        CHECK(going.wait() == 75);
    }
    SECTION("a stop meanwhile loses nothing either") {
        going.send(SIGTERM);
        CHECK(going.wait() == 75);
        CHECK(fs::exists(spool()));
        Process again(long_training(store, "100000"));
        wait_until([&] { return !again.is_running() || !fs::exists(spool()); });
        again.send(SIGTERM);
        CHECK(again.wait() == 75);
    }
    CHECK_FALSE(fs::exists(spool()));
    CHECK(rows(store, "select max(epoch) - count(*), min(epoch) from epochs") == "0,1\n");
    CHECK(lockstep({"fsck", "--store", store.string()}).exit_code == 0);
}

TEST_CASE("A disk that is full for good ends the training with 74; the same command goes on",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const fs::path whole = folder / "whole";
    Process failed(failing({"writes", "*", -300, ENOSPC}, store, long_training(store, "6")));
    CHECK(failed.wait() == 74);
    INFO(failed.errors());
    CHECK(contains(failed.errors(), "No space left on device"));
    Process again(long_training(store, "6"));
    CHECK(again.wait() == 0);
    INFO(again.errors());
    CHECK(Process(long_training(whole, "6")).wait() == 0);
    CHECK(read_text(run_folder(store, kRun) / "final.h5") ==
          read_text(run_folder(whole, kRun) / "final.h5"));
    CHECK(lockstep({"fsck", "--store", store.string()}).exit_code == 0);
}

// Ten records a file, of three classes.
void write_data(const fs::path& folder) {
    fs::create_directories(folder);
    std::string records;
    for (int i = 0; i < 10; ++i)
        records += static_cast<char>(i % 3) + std::string(3072, static_cast<char>(20 * i));
    for (const char* file : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                             "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"})
        std::ofstream(folder / file, std::ios::binary) << records;
    std::ofstream(folder / "batches.meta.txt") << "kind0\nkind1\nkind2\n";
}

TEST_CASE("An error of the disk while data are read: 74 with the file's path, and nothing begun",
          "[end_to_end]") {
    const std::string file = GENERATE("data_batch_3.bin", "test_batch.bin", "batches.meta.txt");
    const std::string ranks = GENERATE("1", "2");
    CAPTURE(file, ranks);
    const TemporaryDirectory folder;
    const fs::path data = folder / "data", store = folder / "store";
    write_data(data);
    std::ofstream(folder / "own.toml")
        << "schema = 1\nexperiment.name = \"own\"\ndata.path = \"data\"\n"
           "[train]\nepochs = 1\nbatch_size = 10\n[[run]]\nname = \"a\"\n"
           "layers = [{ type = \"flatten\" }, { type = \"dense\", units = 3 }]\n";
    const auto command = lockstep_command(
        {"run", (folder / "own.toml").string(), "--ranks", ranks, "--store", store.string()});
    // From the first read on: the experiment is looked at before data are loaded.
    Process refused(failing({"read", file.c_str(), -1, EIO}, data, command));
    CHECK(refused.wait() == 74);
    INFO(refused.errors());
    CHECK(refused.errors().find((data / file).string() + " cannot be read: Input/output error") !=
          std::string::npos);
    CHECK(fs::exists(mark_of_failure(data)));
    CHECK(Process(command).wait() == 0);
    CHECK(rows(store, "select state, attempts from v_runs") == "finished,1\n");
}

}  // namespace
}  // namespace lockstep::tests
