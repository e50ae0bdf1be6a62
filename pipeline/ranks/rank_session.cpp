#include "pipeline/ranks/rank_session.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <sstream>
#include <string>

#include "liveness/fault_point.hpp"
#include "liveness/pulse.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/ranks/build_agreement.hpp"
#include "pipeline/ranks/deadline.hpp"
#include "pipeline/ranks/mpi_leftovers.hpp"
#include "pipeline/ranks/pulse_messages.hpp"
#include "pipeline/ranks/pulse_page.hpp"
#include "pipeline/ranks/rank_environment.hpp"
#include "pipeline/ranks/rank_lines.hpp"
#include "pipeline/ranks/watchdog.hpp"
#include "reports/words/terminal_text.hpp"
#include "trainer/environment.hpp"

namespace lockstep::pipeline {
namespace {

// Open MPI ends a program by itself, with words of its own, where srun does not speak PMIx. Others
// have PMI-2.
void check_interface_of_srun() {
    if (ranks_from_srun() <= 1) return;
    const SrunInterface interface = interface_of_srun();
#ifdef OPEN_MPI
    if (interface == SrunInterface::pmix) return;
#else
    if (interface != SrunInterface::none) return;
#endif
    throw Failure(
        kExitUnavailable,
        fmt::format("srun started {} ranks that cannot find each other: it offers them {}; "
                    "use srun --mpi=pmix (srun --mpi=list tells whether it is there), or "
                    "mpirun in place of srun",
                    ranks_from_srun(),
                    interface == SrunInterface::none ? "no PMI" : "PMI-2 alone"));
}

// What started this says that there are more ranks than MPI knows of: many trainings of one rank
// each would begin.
void check_ranks_told(const trainer::Communicator& world) {
    if (world.size() > 1) return;
    if (ranks_from_srun() > 1) {
        throw Failure(kExitUnavailable,
                      fmt::format("srun started {} ranks, but MPI knows of one; try srun "
                                  "--mpi=pmix, or mpirun",
                                  ranks_from_srun()));
    }
    if (ranks_from_pmi() > 1) {
        throw Failure(
            kExitUnavailable,
            fmt::format("PMI_SIZE says that there are {0} ranks, but MPI knows of one: another "
                        "MPI's mpirun has started them, or the variable is left from another job "
                        "(unset PMI_RANK PMI_SIZE)",
                        ranks_from_pmi()));
    }
}

// An mpirun of another MPI starts many trainings of one rank each, too.
void check_mpirun(int size) {
    if (!is_supervised() || size == supervised_ranks()) return;
    throw Failure(
        kExitUnavailable,
        fmt::format("mpirun started {} ranks, but MPI ({}) knows of {}: the mpirun in PATH "
                    "is of another MPI",
                    supervised_ranks(), trainer::library_versions(), size));
}

int result_of(const trainer::Communicator& world, PulsePage& page,
              std::optional<PulseMessages>& messages,
              const std::function<int(const trainer::Communicator& world)>& work) {
    try {
        check_mpirun(world.size());
        check_ranks_told(world);
        require_one_build(world);
        messages.emplace(page, world);
        return work(world);
    } catch (const AgreedFailure& failure) {
        if (world.is_root()) tell_failure(failure);
        return failure.exit_code();
    } catch (...) {
        const Failure failure = failure_of(std::current_exception());
        // What is too much for one rank of a machine is so for its others.
        if (world.size() > 1 && failure.exit_code() == kExitSystem && !page.is_first_refusal())
            throw ToldFailure(failure.exit_code(), failure.what());
        if (world.size() > 1) throw;
        if (rank_from_environment() == 0) tell_failure(failure);
        return failure.exit_code();
    }
}

}  // namespace

void tell_failure(const Failure& failure) {
    std::istringstream lines(failure.what());
    std::string text;
    for (std::string line; std::getline(lines, line);) {
        text += fmt::format("{}{}\n", ProgressSink::kErrorPrefix, reports::terminal_text(line));
    }
    std::fputs(text.c_str(), stderr);
}

int do_with_ranks(ProcessArguments arguments,
                  const std::function<int(const trainer::Communicator& world)>& work,
                  std::optional<std::chrono::seconds> stall_timeout) {
    std::optional<PulsePage> page;
    std::optional<PulseMessages> messages;  // these two until MPI has ended
    std::optional<Watchdog> watchdog;
    check_interface_of_srun();
    if (!is_started_as_rank()) forget_srun();
    std::optional<Deadline> deadline;
    if (is_started_as_rank()) set_start_deadline(deadline, stall_timeout);
    std::optional<OwnMpiSession> session;  // beyond MPI
    if (!is_started_as_rank()) session.emplace();
    const trainer::MpiSession mpi(arguments.count, arguments.values);
    if (session) session->note();
    const trainer::Communicator world(MPI_COMM_WORLD);
    page.emplace(world);
    deadline.reset();
    const bool tells_supervisor = world.is_root() && is_supervised();
    if (tells_supervisor) tell_supervisor(ready_line());
    watchdog.emplace(*page, stall_timeout);
    liveness::fault_point("init");
    const int exit_code = result_of(world, *page, messages, work);
    if (tells_supervisor) tell_supervisor(end_line(exit_code));
    liveness::note(liveness::Phase::finalize);
    liveness::fault_point("finalize");
    return exit_code;
}

}  // namespace lockstep::pipeline
