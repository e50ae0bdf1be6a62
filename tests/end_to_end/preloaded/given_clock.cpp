// A clock that a test sets: preloaded, makes the monotonic one stand at the second that is written
// in the file LOCKSTEP_TEST_CLOCK (0 where there is none), and appends a byte to FILE.looks for
// each look at it.

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>

namespace {

std::time_t seconds_in(const std::string& path) {
    long seconds = 0;
    std::ifstream(path) >> seconds;
    return seconds;
}

void note_look(const std::string& path) {
    const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) return;
    [[maybe_unused]] const ssize_t written = ::write(file, "x", 1);
    ::close(file);
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
    using Function = int(clockid_t, timespec*);
    static auto* const real = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, "clock_gettime"));
    const char* file = std::getenv("LOCKSTEP_TEST_CLOCK");
    if (clock != CLOCK_MONOTONIC || file == nullptr) return real(clock, time);
    *time = {.tv_sec = seconds_in(file), .tv_nsec = 0};
    note_look(std::string(file) + ".looks");
    return 0;
}
