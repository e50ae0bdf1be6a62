// Two hosts on one store that offers no locks, with clocks that are wrong and jump: who lives keeps
// its run, who died loses it, and who was overtaken writes neither row nor file.

#include <signal.h>

#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRun = "batch-normalized";
constexpr const char* kForEver = "1000000";
constexpr const char* kSixEpochs = "6";  // of about an eighth of a second each

std::vector<std::string> training(const fs::path& store, const std::string& epochs) {
    return lockstep_command({"run", smoke_file(), "--only", kRun, "--set", "train.epochs=" + epochs,
                             "--set", "data.training_samples=20000", "--ranks", "1", "--store",
                             store.string()});
}

// A machine of its own name whose clock the test sets.
class Host {
public:
    explicit Host(std::string name) : name_(std::move(name)) {}

    void set_clock_error(long seconds) const {
        std::ofstream(file().string() + ".new") << seconds;
        fs::rename(file().string() + ".new", file());
    }
    std::vector<std::string> runs(const std::vector<std::string>& command) const {
        return preloading(LOCKSTEP_OTHER_HOST,
                          {"LOCKSTEP_LEASE_SECONDS=2", "LOCKSTEP_TEST_HOST=" + name_,
                           "LOCKSTEP_TEST_CLOCK_ERROR=" + file().string()},
                          command);
    }

private:
    fs::path file() const { return folder_ / "error"; }
    std::string name_;
    TemporaryDirectory folder_;
};

void wait_for_epoch(Process& process, const fs::path& store, int epoch) {
    wait_until([&] {
        if (!process.is_running()) throw std::runtime_error(process.errors());
        return log_of(store, kRun).find("Epoch " + std::to_string(epoch) + "/") !=
               std::string::npos;
    });
}

const std::string& expected_weights() {
    static const std::string bytes = [] {
        const TemporaryDirectory folder;
        CHECK(Process(training(folder / "store", kSixEpochs)).wait() == 0);
        return read_text(run_folder(folder / "store", kRun) / "final.h5");
    }();
    return bytes;
}

// All rows, and all files but logs, which are for people, and files in the making.
std::map<std::string, std::string> content_of(const fs::path& store) {
    std::map<std::string, std::string> content;
    for (const char* table : {"runs", "attempts", "epochs", "steps", "metrics", "artifacts"})
        content[table] = rows(store, std::string("select * from ") + table);
    for (const auto& entry : fs::recursive_directory_iterator(store / "runs")) {
        const std::string name = entry.path().filename().string();
        if (entry.is_regular_file() && name != "log.txt" && name.find(".tmp.") == std::string::npos)
            content[entry.path().string()] = read_text(entry.path());
    }
    return content;
}

TEST_CASE("A run of a host that lives is left to it, whatever its clock says", "[end_to_end]") {
    const long error = GENERATE(0L, -3600L, 31536000L);
    INFO(error);
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const Host here("here");
    const Host there("there");
    there.set_clock_error(error);
    Process holder(there.runs(training(store, kForEver)));
    wait_for_epoch(holder, store, 2);
    const auto check_left = [&] {
        Process other(here.runs(training(store, kForEver)));
        CHECK(other.wait() == 76);
        INFO(other.errors());
        CHECK(other.errors().find("left to on there") != std::string::npos);
    };
    check_left();
    there.set_clock_error(-error);  // the clock jumps
    check_left();
    holder.send(SIGTERM);
    CHECK(holder.wait() == 75);
    CHECK(rows(store, "select attempts, state from v_runs") == "1,interrupted\n");
    CHECK(rows(store, "select count(*) from epochs where epoch_seconds < 0") == "0\n");
}

TEST_CASE("A host that died loses its run when its lease has run out, whatever its clock said",
          "[end_to_end]") {
    const long error = GENERATE(0L, -3600L, 31536000L);
    INFO(error);
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const Host here("here");
    const Host there("there");
    there.set_clock_error(error);
    Process holder(there.runs(training(store, kSixEpochs)));
    wait_for_epoch(holder, store, 2);
    pause_outside_of_transactions(holder, store);
    holder.send(SIGKILL);
    CHECK(holder.wait() == 128 + SIGKILL);
    Process other(here.runs(training(store, kSixEpochs)));
    const int code = other.wait();
    INFO(other.errors());
    CHECK(code == 0);
    CHECK(rows(store, "select attempts, state, epochs_finished from v_runs") == "2,finished,6\n");
    CHECK(read_text(run_folder(store, kRun) / "final.h5") == expected_weights());
}

TEST_CASE("Who was overtaken while it stood still writes neither row nor file", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const Host here("here");
    const Host there("there");
    Process stopped(there.runs(training(store, kSixEpochs)));
    wait_for_epoch(stopped, store, 2);
    pause_outside_of_transactions(stopped, store);
    Process other(here.runs(training(store, kSixEpochs)));
    SECTION("it wakes when the run is finished") {
        CHECK(other.wait() == 0);
        const auto before = content_of(store);
        stopped.send(SIGCONT);
        CHECK(stopped.wait() == 76);
        INFO(stopped.errors());
        CHECK(stopped.errors().find("attempt 2 has taken over, on here") != std::string::npos);
        CHECK(content_of(store) == before);
    }
    SECTION("it wakes while the other trains") {
        wait_until([&] {
            return rows(store, "select count(*) from epochs where attempt = 2") != "0\n" ||
                   !other.is_running();
        });
        stopped.send(SIGCONT);
        CHECK(stopped.wait() == 76);
        CHECK(other.wait() == 0);
    }
    CHECK(rows(store, "select attempts, state, epochs_finished from v_runs") == "2,finished,6\n");
    CHECK(read_text(run_folder(store, kRun) / "final.h5") == expected_weights());
    const Result checked = lockstep({"fsck", "--store", store.string()});
    INFO(checked.output);
    CHECK(checked.exit_code == 0);
}

}  // namespace
}  // namespace lockstep::tests
