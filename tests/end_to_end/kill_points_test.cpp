// One run that is killed again and again, at every step and at every point of a checkpoint or a
// commit, each time after it went on from the kill before: it ends with the same bytes.

#include <csignal>
#include <string>
#include <vector>

#include "tests/end_to_end/one_run.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

// A checkpoint as often as the disk allows, so that every start gets further.
std::vector<std::string> command_on(const fs::path& store, const std::string& ranks) {
    return lockstep_command(rank_arguments(store, {"--ranks", ranks, "--max-restarts", "0", "--set",
                                                   "checkpoint.every_minutes=1e-9"}));
}

constexpr int kNotStruck = 99;

// One start with faults. True if it was killed.
bool is_killed(const fs::path& store, const std::string& ranks, const std::string& faults) {
    Process training(with_variable("LOCKSTEP_FAULT=" + faults, command_on(store, ranks)));
    const int exit_code = training.wait();
    INFO(faults << "\n" << training.errors());
    CHECK((exit_code == 0 || exit_code == kNotStruck || exit_code == 128 + SIGKILL));
    wait_until([&] { return processes_with(store.string(), "--as-rank").empty(); });
    return exit_code == 128 + SIGKILL;
}

void check_ends(const fs::path& store, const std::string& ranks) {
    CHECK(Process(command_on(store, ranks)).wait() == 0);
    CHECK(final_weights(store) == expected_weights());
    CHECK(rows(store, "select count(*), max(epoch) from epochs") == "3,3\n");
    for (const auto& entry : fs::recursive_directory_iterator(store)) {
        const std::string name = entry.path().filename().string();
        CHECK_FALSE(contains(name, ".tmp."));
        CHECK_FALSE(contains(name, "-journal"));
    }
    CHECK(lockstep({"fsck", "--store", store.string()}).exit_code == 0);
}

// The kill of step s comes after the run went on from that of step s - 1.
void kill_at_each_step(int ranks, int steps) {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const std::vector<std::string> points{"step.begin", "step.after_forward", "exchange",
                                          "step.after_update"};
    int kills = 0;
    for (int step = 0; step < steps; ++step) {
        for (int rank = 0; rank < ranks; ++rank) {
            const auto place = static_cast<std::size_t>(step + rank);
            const std::string fault = points[place % points.size()] +
                                      "@rank=" + std::to_string(rank) +
                                      "@step=" + std::to_string(step) + ":kill";
            kills += is_killed(store, std::to_string(ranks), fault) ? 1 : 0;
        }
    }
    CHECK(kills >= steps);  // each step at least once; a checkpoint may lie behind it by then
    check_ends(store, std::to_string(ranks));
}

TEST_CASE("Killed at each of 12 steps in a row the run ends with the same bytes", "[end_to_end]") {
    kill_at_each_step(1, 12);
}

TEST_CASE("The same with a rank of two or four, at each step", "[.slow][end_to_end]") {
    const int ranks = GENERATE(2, 4);
    kill_at_each_step(ranks, 12);
}

// Those of the database that come while a start takes up what the kill before has left, and those
// of its first checkpoint, after a step.
void kill_at_each_point(const std::string& ranks) {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    is_killed(store, ranks, "step.begin@rank=0@step=2:kill");
    std::vector<std::string> points{"init",
                                    "data.load",
                                    "ckpt.serialize",
                                    "ckpt.before_fsync",
                                    "ckpt.before_rename",
                                    "ckpt.after_rename"};
    for (const std::string point : {"db.begin", "db.before_commit", "db.after_commit"})
        for (const std::string count : {"1", "2", "3", "4"})
            points.push_back(point + "@count=" + count);
    for (const std::string& point : points) {
        // A second for the checkpoint to come to that point; then no further.
        const std::string end =
            ";step.begin@rank=0@count=3:sleep=1;step.begin@rank=0@count=4:exit=" +
            std::to_string(kNotStruck);
        CAPTURE(point);
        CHECK(is_killed(store, ranks, point + "@rank=0:kill" + end));
    }
    check_ends(store, ranks);
}

TEST_CASE("Killed while it takes up what a kill has left the run ends with the same bytes",
          "[end_to_end]") {
    kill_at_each_point("1");
}

TEST_CASE("The same on two ranks and on four", "[.slow][end_to_end]") {
    const std::string ranks = GENERATE("2", "4");
    kill_at_each_point(ranks);
}

}  // namespace
}  // namespace lockstep::tests
