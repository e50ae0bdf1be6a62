#include "pipeline/training/queue_exit_code.hpp"

#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

using namespace pipeline;

TEST_CASE("An experiment ends with what kept its unfinished runs from their end", "[pipeline]") {
    CHECK(exit_code_of({}) == kExitSuccess);
    CHECK(exit_code_of({kExitSuccess, kExitSuccess}) == kExitSuccess);
    for (const int code : {kExitInputOutput, kExitBadData, kExitSomeRunsFailed}) {
        CHECK(exit_code_of({code}) == code);
        CHECK(exit_code_of({code, code}) == code);
        CHECK(exit_code_of({kExitSuccess, code}) == code);
        CHECK(exit_code_of({code, kExitSuccess, code}) == code);
        CHECK(exit_code_of({kExitLeftToOthers, code}) == code);
        CHECK(exit_code_of({code, kExitInterrupted}) == kExitInterrupted);
    }
    CHECK(exit_code_of({kExitInputOutput, kExitBadData}) == kExitSomeRunsFailed);
    CHECK(exit_code_of({kExitInputOutput, kExitSuccess, kExitSomeRunsFailed}) ==
          kExitSomeRunsFailed);
    CHECK(exit_code_of({kExitSuccess, kExitLeftToOthers}) == kExitLeftToOthers);
    CHECK(exit_code_of({kExitLeftToOthers, kExitInterrupted}) == kExitInterrupted);
}

}  // namespace
}  // namespace lockstep::tests
