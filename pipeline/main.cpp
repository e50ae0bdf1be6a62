// argv -> verb -> exit status: the only place that turns exceptions into exit codes.

#include <fcntl.h>
#include <malloc.h>
#include <mpi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "liveness/fault_point.hpp"
#include "pipeline/command_line/command_line.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/ranks/job_attempt.hpp"
#include "pipeline/ranks/rank_environment.hpp"
#include "pipeline/ranks/rank_lines.hpp"
#include "pipeline/ranks/rank_session.hpp"
#include "pipeline/ranks/stop_request.hpp"
#include "pipeline/recording/process_identity.hpp"
#include "storage/files/this_host.hpp"
#include "trainer/exchange/communicator.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::chrono::seconds kBehindRankZero{3};

bool is_mpi_running() {
    int is_started = 0;
    int is_ended = 0;
    MPI_Initialized(&is_started);
    MPI_Finalized(&is_ended);
    return is_started != 0 && is_ended == 0;
}

Failure of_this_rank(const Failure& failure) {
    return {failure.exit_code(), "rank " + std::to_string(rank_from_environment()) + " (" +
                                     storage::host_name() + "): " + failure.what()};
}

// One that another rank has told. The others may wait for this rank.
int end_told(const Failure& failure) {
    if (is_mpi_running()) trainer::abort_job(failure.exit_code());
    return failure.exit_code();
}

// Tells the error once. Before MPI runs, every rank meets the same one, but for what the system
// refuses to one process; once it runs, the others may wait for this rank, and have to be ended.
int end_with(const Failure& failure) {
    const bool are_others_waiting = is_mpi_running();
    const bool is_first = rank_from_environment() == 0;
    const bool is_refused = failure.exit_code() == kExitSystem;
    // With the same error rank 0 tells, and by its end mpirun ends this one here; were this one to
    // end first, mpirun might end rank 0 before it has told.
    if (!are_others_waiting && !is_first) std::this_thread::sleep_for(kBehindRankZero);
    if (are_others_waiting || (!is_first && is_refused))
        tell_failure(of_this_rank(failure));
    else if (is_first)
        tell_failure(failure);
    return end_told(failure);
}

// The thread that records epochs takes its memory where the one that trains does. glibc would give
// it an arena of its own, whose large arrays go back to the system and are faulted in anew with
// every epoch.
void share_memory_between_threads() {
#ifdef M_ARENA_MAX
    mallopt(M_ARENA_MAX, 1);
#endif
}

// Of the other ranks one is gone, or out of reach: a further attempt may find it again.
int end_without_peer(const trainer::MpiError& error) {
    if (!is_mpi_running()) return end_with(failure_of(std::make_exception_ptr(error)));
    write_line_of_rank(lost_line("a peer of rank " + std::to_string(rank_from_environment()) +
                                 " (" + storage::host_name() + "): " + error.what()));
    trainer::abort_job(kExitInterrupted);
}

// What is opened first would take the place of a closed standard stream, and its lines.
void open_standard_streams() {
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
        if (::fcntl(stream, F_GETFD) < 0) ::open("/dev/null", O_RDWR);  // the lowest free number
    }
}

void arm_faults() {
    try {
        liveness::arm_faults(rank_from_environment(), job_attempt().number);
    } catch (const std::invalid_argument& error) {
        throw UsageError(error.what());
    }
}

// A training stops in order; all else ends when it is told to.
void prepare_process(ProcessArguments arguments) {
    open_standard_streams();
    keep_standard_output();
    provide_path_and_home();
    set_signals();
    const bool is_training = arguments.count > 1 && std::string_view(arguments.values[1]) == "run";
    if (!is_training) let_signals_end();
    arm_faults();
}

// A wish to stop that comes while libraries are loaded and started waits until main() knows what to
// do with it. Nothing is initialized by then, no sanitizer either, so the kernel itself is asked.
__attribute__((no_sanitize("address", "undefined", "thread"))) void hold_signals_back(int, char**,
                                                                                      char**) {
    const auto bit = [](int signal_number) { return 1UL << (signal_number - 1); };
    const unsigned long mask =
        bit(SIGINT) | bit(SIGTERM) | bit(SIGHUP) | bit(SIGUSR1) | bit(SIGUSR2);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask);
}

__attribute__((section(".preinit_array"),
               used)) void (*const kHoldSignalsBack)(int, char**, char**) = hold_signals_back;

}  // namespace
}  // namespace lockstep::pipeline

int main(int argc, char** argv) {
    using namespace lockstep::pipeline;
    share_memory_between_threads();  // before libraries start threads
    try {
        prepare_process({argc, argv});
        return parse_command_line({argc, argv})();
    } catch (const lockstep::trainer::MpiError& error) {
        return end_without_peer(error);
    } catch (const ToldFailure& failure) {
        return end_told(failure);
    } catch (...) {
        return end_with(failure_of(std::current_exception()));
    }
}
