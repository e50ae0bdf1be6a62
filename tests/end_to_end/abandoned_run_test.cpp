// `tail` on a training that was killed: its followers wait 20 seconds for it to be started again,
// then give up. The seconds pass on a clock that the test sets.

#include <csignal>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRun = "batch-normalized";

std::vector<std::string> training(const fs::path& store) {
    return lockstep_command({"run", smoke_file(), "--only", kRun, "--set", "train.epochs=1000000",
                             "--ranks", "1", "--store", store.string()});
}

// A `tail` whose clock the test sets. It looks at the clock only while the training is gone.
class Follower {
public:
    explicit Follower(const fs::path& store)
        : process_(preloading(LOCKSTEP_GIVEN_CLOCK, {"LOCKSTEP_TEST_CLOCK=" + clock().string()},
                              lockstep_command({"tail", kRun, "--store", store.string()}))) {}

    Process& process() { return process_; }
    void set_clock(int seconds) {
        std::ofstream(clock().string() + ".new") << seconds;
        fs::rename(clock().string() + ".new", clock());
    }
    // Waits until it has looked at its clock `times` more.
    void wait_for_looks(std::size_t times) {
        const std::size_t before = looks();
        wait_until([&] {
            if (!process_.is_running()) throw std::runtime_error("tail ended");
            return looks() >= before + times;
        });
    }

private:
    fs::path clock() const { return folder_ / "clock"; }
    std::size_t looks() const { return read_text(clock().string() + ".looks").size(); }

    TemporaryDirectory folder_;
    Process process_;
};

int last_epoch(const Process& follower) {
    const std::string output = follower.output();
    const std::size_t place = output.rfind("Epoch ");
    return place == std::string::npos ? 0 : std::stoi(output.substr(place + 6));
}

void wait_for_epoch(Process& training, Follower& follower, int epoch) {
    wait_until([&] {
        if (!training.is_running()) throw std::runtime_error(training.errors());
        return follower.process().is_running() && last_epoch(follower.process()) >= epoch;
    });
}

// Not in the midst of a transaction: its journal could be rolled back by a writer alone.
void kill(Process& training, const fs::path& store) {
    pause_outside_of_transactions(training, store);
    training.send(SIGKILL);
    CHECK(training.wait() == 128 + SIGKILL);
}

TEST_CASE("tail waits 20 seconds for a killed training to be started again", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    Process first(training(store));
    wait_until([&] {
        return fs::exists(store / "runs") && !fs::is_empty(store / "runs") &&
               fs::exists(run_folder(store, kRun) / "checkpoint.h5");
    });
    Follower follower(store);
    wait_for_epoch(first, follower, 2);
    kill(first, store);
    follower.wait_for_looks(2);  // it has seen it, at second 0
    follower.set_clock(19);
    follower.wait_for_looks(2);  // and still follows

    Process second(training(store));
    wait_for_epoch(second, follower, last_epoch(follower.process()) + 2);
    kill(second, store);
    follower.wait_for_looks(2);
    follower.set_clock(19 + 20);
    CHECK(follower.process().wait() == 0);
    const std::string output = follower.process().output();
    CHECK(output.ends_with(": running, but its process is gone\n"));
    CHECK(output.find("is gone") == output.rfind("is gone"));
}

}  // namespace
}  // namespace lockstep::tests
