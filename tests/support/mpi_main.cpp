// The main program of a test under ranks: every rank runs the same test cases in the same order.
#include "trainer/exchange/communicator.hpp"
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_RUNNER
#endif
#include "tests/support/catch.hpp"

int main(int argc, char** argv) {
    lockstep::trainer::MpiSession mpi(argc, argv);
    return Catch::Session().run(argc, argv);
}
