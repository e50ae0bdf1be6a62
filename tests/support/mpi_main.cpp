// The main program of a test under ranks: every rank runs the same test cases in the same order.
#include <cstdio>
#include <vector>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

#include "trainer/exchange/communicator.hpp"
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_RUNNER
#endif
#include "tests/support/catch.hpp"
#include "tests/support/needs.hpp"

#if defined(__SANITIZE_ADDRESS__)
// cmake/sanitizers/leaks.txt.
extern "C" int dlclose(void*) noexcept { return 0; }
#endif

int main(int argc, char** argv) {
    std::vector<char*> arguments(argv, argv + argc);
    if (const auto absence =
            lockstep::tests::absent_need(arguments, lockstep::tests::common_needs())) {
        std::puts(absence->message.c_str());
        return absence->exit_code;
    }
    lockstep::trainer::MpiSession mpi(argc, argv);
    const int code = Catch::Session().run(static_cast<int>(arguments.size()), arguments.data());
#if defined(__SANITIZE_ADDRESS__)
    // While MPI's libraries are still there: by their names its own leaks are left out.
    __lsan_do_leak_check();
#endif
    return code;
}
