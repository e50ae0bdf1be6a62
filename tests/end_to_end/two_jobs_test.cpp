// Two jobs on one experiment and one store at the same time: no run is lost, none is trained twice.

#include <csignal>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWords = "left to on ";
const std::vector<std::string> kRuns{"batch-normalized", "logits-seed1", "logits-seed2"};

std::vector<std::string> job(const fs::path& store, const std::string& epochs) {
    return lockstep_command({"run", smoke_file(), "--only", "batch-normalized", "--only", "logits",
                             "--set", "train.epochs=" + epochs, "--ranks", "1", "--store",
                             store.string()});
}

// The first job stands still inside the first run, which it holds, while the second comes and goes.
TEST_CASE("A second job leaves the run of the first alone and trains the others", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    Process first(job(store, "40"));
    wait_until([&] {
        if (!first.is_running()) throw std::runtime_error(first.errors());
        return log_of(store, kRuns[0]).find("Epoch 2/40") != std::string::npos;
    });
    pause_outside_of_transactions(first, store);
    Process second(job(store, "40"));
    CHECK(second.wait() == 76);  // one run is not finished
    CHECK(second.errors().find(kWords) != std::string::npos);
    CHECK(rows(store, "select name, state, attempts from v_runs order by name") ==
          "batch-normalized,running,1\nlogits-seed1,finished,1\nlogits-seed2,finished,1\n");

    first.send(SIGTERM);
    first.send(SIGCONT);
    CHECK(first.wait() == 75);
    Process third(job(store, "40"));
    CHECK(third.wait() == 0);
    CHECK(
        rows(store, "select name, state, attempts, epochs_finished from v_runs order by name") ==
        "batch-normalized,finished,2,40\nlogits-seed1,finished,1,40\nlogits-seed2,finished,1,40\n");
    CHECK(rows(store, "select count(*) from epochs") == "120\n");

    const fs::path alone = folder / "alone";
    CHECK(Process(job(alone, "40")).wait() == 0);
    for (const std::string& run : kRuns) {
        INFO(run);
        CHECK(read_text(run_folder(store, run) / "final.h5") ==
              read_text(run_folder(alone, run) / "final.h5"));
    }
}

TEST_CASE("A queued run that is removed under its job is told, and not waited for",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    Process training(job(store, "40"));
    wait_until([&] {
        if (!training.is_running()) throw std::runtime_error(training.errors());
        return log_of(store, kRuns[0]).find("Epoch 2/40") != std::string::npos;
    });
    pause_outside_of_transactions(training, store);
    CHECK(lockstep({"rm", kRuns[2], "--yes", "--store", store.string()}).exit_code == 0);
    training.send(SIGCONT);
    CHECK(training.wait() == 0);
    CHECK((training.output() + training.errors()).find(kRuns[2] + ": removed from the store") !=
          std::string::npos);
    CHECK(rows(store, "select name, state from runs order by name") ==
          "batch-normalized,finished\nlogits-seed1,finished\n");
}

TEST_CASE("Of two jobs that start together on one run one trains it", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const auto command =
        lockstep_command({"run", smoke_file(), "--only", "batch-normalized", "--set",
                          "train.epochs=1000000", "--ranks", "1", "--store", store.string()});
    Process one(command), other(command);
    wait_until([&] { return !one.is_running() || !other.is_running(); });
    Process& refused = one.is_running() ? other : one;
    Process& training = one.is_running() ? one : other;
    CHECK(refused.wait() == 76);
    INFO(refused.errors());
    CHECK(refused.errors().find(kWords) != std::string::npos);
    wait_until([&] {
        return !training.is_running() ||
               log_of(store, kRuns[0]).find("Epoch 2/") != std::string::npos;
    });
    training.send(SIGTERM);
    CHECK(training.wait() == 75);
    CHECK(rows(store, "select state, attempts from v_runs") == "interrupted,1\n");
}

// Its ranks live on for a second or two, and stop in order.
TEST_CASE("The same command right after SIGKILL of `lockstep run` itself goes on", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const auto command =
        lockstep_command({"run", smoke_file(), "--only", "batch-normalized", "--set",
                          "train.epochs=200", "--ranks", "2", "--store", store.string()});
    Process first(command);
    wait_until(
        [&] { return log_of(store, "batch-normalized").find("Epoch 3/") != std::string::npos; });
    first.send(SIGKILL);
    Process again(command);
    CHECK(again.wait() == 0);
    INFO(again.errors());
    CHECK(rows(store, "select state, attempts from v_runs") == "finished,2\n");
}

}  // namespace
}  // namespace lockstep::tests
