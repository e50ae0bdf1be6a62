// The main program of a test without ranks.
#include <cstdio>
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_RUNNER
#endif
#include "tests/support/catch.hpp"
#include "tests/support/needs.hpp"

int main(int argc, char** argv) {
    std::vector<char*> arguments(argv, argv + argc);
    if (const auto absence =
            lockstep::tests::absent_need(arguments, lockstep::tests::common_needs())) {
        std::puts(absence->message.c_str());
        return absence->exit_code;
    }
    return Catch::Session().run(static_cast<int>(arguments.size()), arguments.data());
}
