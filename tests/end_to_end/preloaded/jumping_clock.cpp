// A clock that is set while a program runs: preloaded, moves the time of day by the seconds that
// are written in the file LOCKSTEP_TEST_JUMP (0 where there is none). The monotonic clock goes on.

#include <dlfcn.h>

#include <cstdlib>
#include <ctime>
#include <fstream>

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
    using Function = int(clockid_t, timespec*);
    static auto* const kReal = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, "clock_gettime"));
    const int result = kReal(clock, time);
    const char* file = std::getenv("LOCKSTEP_TEST_JUMP");
    if (clock != CLOCK_REALTIME || file == nullptr) return result;
    long seconds = 0;
    std::ifstream(file) >> seconds;
    time->tv_sec += seconds;
    return result;
}
