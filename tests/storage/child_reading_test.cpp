#include "storage/weights/child_reading.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using tests::TemporaryDirectory;

// Of /proc; a zombie waits for whoever has become its parent. "" for one that is gone.
std::string state_of(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string word, state;
    file >> word >> word >> state;
    return state;
}

bool is_gone(pid_t process) {
    const std::string state = state_of(process);
    return state.empty() || state == "Z" || state == "X";
}

template <typename Holds>
bool comes(const Holds& holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

pid_t number_in(const fs::path& file) {
    pid_t number = 0;
    std::ifstream(file) >> number;
    return number;
}

// Writes the number of the process that it runs in, in one piece.
void tell_number(const fs::path& file) {
    std::ofstream(file.string() + ".new") << ::getpid();
    fs::rename(file.string() + ".new", file);
}

}  // namespace

// With it it would keep what its parent has opened: the lock of a run, for two minutes.
TEST_CASE("A child that reads ends with the process that it reads for", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path number = folder / "child";
    const bool is_reading = GENERATE(true, false);  // else it tells more than a pipe holds
    CAPTURE(is_reading);
    const pid_t reader = ::fork();
    if (reader == 0) {
        (void)read_in_child("a file", 0, [&] {
            if (!is_reading) ::kill(::getppid(), SIGSTOP);
            tell_number(number);
            if (is_reading) ::pause();
            return Bytes(1 << 20);
        });
        ::_exit(0);
    }
    REQUIRE(comes([&] { return fs::exists(number); }));
    const pid_t child = number_in(number);
    REQUIRE(comes([&] { return state_of(child) == "S"; }));  // in pause(), or in a full pipe
    ::kill(reader, SIGKILL);
    ::waitpid(reader, nullptr, 0);
    CHECK(comes([&] { return is_gone(child); }));
}

}  // namespace lockstep::storage
