// argv -> verb -> exit status: the only place that turns exceptions into exit codes.

#include <malloc.h>
#include <mpi.h>

#include <exception>

#include "pipeline/command_line/command_line.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/ranks/rank_environment.hpp"
#include "pipeline/ranks/rank_session.hpp"
#include "trainer/exchange/communicator.hpp"

namespace lockstep::pipeline {
namespace {

bool is_mpi_running() {
    int is_started = 0;
    int is_ended = 0;
    MPI_Initialized(&is_started);
    MPI_Finalized(&is_ended);
    return is_started != 0 && is_ended == 0;
}

// Tells the error once. Before MPI runs, every rank meets the same one; once it runs, the others
// may wait for this rank, and have to be ended.
int end_with(const Failure& failure) {
    const bool are_others_waiting = is_mpi_running();
    if (are_others_waiting || rank_from_environment() == 0) tell_failure(failure);
    if (are_others_waiting) trainer::abort_job(failure.exit_code());
    return failure.exit_code();
}

// The thread that records epochs takes its memory where the one that trains does. glibc would give
// it an arena of its own, whose large arrays go back to the system and are faulted in anew with
// every epoch.
void share_memory_between_threads() {
#ifdef M_ARENA_MAX
    mallopt(M_ARENA_MAX, 1);
#endif
}

}  // namespace
}  // namespace lockstep::pipeline

int main(int argc, char** argv) {
    using namespace lockstep::pipeline;
    keep_standard_output();
    share_memory_between_threads();  // before libraries start threads
    try {
        return parse_command_line({argc, argv})();
    } catch (...) {
        return end_with(failure_of(std::current_exception()));
    }
}
