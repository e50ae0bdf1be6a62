// Progress as people see it: a bar that moves in a terminal, plain lines everywhere else.

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "tests/end_to_end/in_terminal.hpp"
#include "tests/end_to_end/one_run.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

// Steps of an epoch that take longer than the time between two pictures of a bar.
constexpr const char* kPauses =
    "LOCKSTEP_FAULT=step.begin@step=3:sleep=1;step.begin@step=6:sleep=1";

std::vector<std::string> training(const fs::path& store, const std::string& ranks) {
    return lockstep_command(
        {"run", smoke_file(), "--only", kOneRun, "--ranks", ranks, "--store", store.string()});
}

// How far the bars of the first epoch were, in the order they were drawn: the steps done.
std::vector<int> steps_of_bars(const std::string& shown) {
    std::vector<int> steps;
    std::istringstream pictures(shown.substr(shown.find("Epoch 1/")));
    for (std::string picture; std::getline(pictures, picture, '\r');) {
        if (contains(picture, "Epoch 2/")) break;
        if (contains(picture, "/10 [")) steps.push_back(std::stoi(picture));
    }
    return steps;
}

void check_plain(const std::string& text) {
    INFO(text);
    CHECK(contains(text, "Epoch 1/2\n"));
    CHECK(contains(text, "Epoch 2/2\n"));
    CHECK(contains(text, "10/10 - "));
    CHECK_FALSE(contains(text, "\r"));
    CHECK_FALSE(contains(text, "\x1b"));
    CHECK_FALSE(contains(text, "[="));
}

}  // namespace

TEST_CASE("progress: in a terminal a bar moves on, on its own line", "[end_to_end]") {
    const std::string ranks = GENERATE("1", "2");
    CAPTURE(ranks);
    const TemporaryDirectory folder;
    InTerminal program(with_variable(kPauses, training(folder / "store", ranks)));
    const std::string shown = program.read_until("");
    CHECK(program.wait() == 0);
    INFO(shown);
    const std::vector<int> steps = steps_of_bars(shown);
    CHECK(steps.size() >= 3);
    CHECK(std::is_sorted(steps.begin(), steps.end()));
    REQUIRE_FALSE(steps.empty());
    CHECK(steps.front() < 10);
    CHECK(steps.back() == 10);
    CHECK(contains(shown, "[=="));
    CHECK_FALSE(contains(shown, "\x1b[?25l"));  // the cursor is never hidden
}

TEST_CASE("progress: in a file there are plain lines", "[end_to_end]") {
    const std::string ranks = GENERATE("1", "2");
    CAPTURE(ranks);
    const TemporaryDirectory folder;
    Process program(training(folder / "store", ranks));
    CHECK(program.wait() == 0);
    check_plain(program.errors());
    CHECK_FALSE(contains(program.output(), "\r"));
    CHECK_FALSE(contains(program.output(), "\x1b"));
}

// Its ranks write to what always looks like a terminal to them.
TEST_CASE("progress: under mpirun there are plain lines, in a file and in a terminal",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::vector<std::string> command = mpirun_command(
        2, {"run", smoke_file(), "--only", kOneRun, "--store", (folder / "store").string()});
    SECTION("in a file") {
        Process program(command);
        CHECK(program.wait() == 0);
        check_plain(program.output() + program.errors());
    }
    SECTION("in a terminal") {
        InTerminal program(command);
        std::string shown = program.read_until("");
        CHECK(program.wait() == 0);
        for (std::size_t at; (at = shown.find("\r\n")) != std::string::npos;) shown.erase(at, 1);
        check_plain(shown);
    }
}

}  // namespace lockstep::tests
