#include "pipeline/ranks/mpirun_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/ranks/stop_request.hpp"

namespace lockstep::pipeline {
namespace {

// Containers may forbid the system call by which Open MPI copies between ranks.
bool can_copy_between_processes() {
    char from = 1;
    char to = 0;
    iovec local{&to, 1};
    iovec remote{&from, 1};
    return ::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0) == 1;
}

void set_default(const char* name, const char* value) { ::setenv(name, value, 0); }

// A host that is silent is found dead after 10 s and 3 more times 5 s; the default takes 480 s.
void keep_connections_alive() {
    for (const std::string prefix : {"OMPI_MCA_", "PRTE_MCA_", "PMIX_MCA_"}) {
        set_default((prefix + "oob_tcp_keepalive_time").c_str(), "10");
        set_default((prefix + "oob_tcp_keepalive_intvl").c_str(), "5");
        set_default((prefix + "oob_tcp_keepalive_probes").c_str(), "3");
    }
}

void prepare_environment(bool is_local) {
    ::setenv("OMP_NUM_THREADS", "1", 1);  // a rank is a core
    // What srun has told a shell is not about the ranks to come.
    for (const char* name : {"PMI_RANK", "PMI_SIZE", "PMI_FD", "PMIX_RANK", "PMIX_NAMESPACE"}) {
        ::unsetenv(name);
    }
    if (::geteuid() == 0) {
        set_default("OMPI_ALLOW_RUN_AS_ROOT", "1");
        set_default("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    }
    // Open MPI would open libfabric to look for networks between nodes: 0.2 s of each start.
    if (is_local) set_default("OMPI_MCA_pml", "^cm");
    if (!can_copy_between_processes()) {
        set_default("OMPI_MCA_btl_vader_single_copy_mechanism", "none");  // Open MPI 4
        set_default("OMPI_MCA_smsc", "^cma");                             // Open MPI 5
    }
    keep_connections_alive();
}

// What a caller blocks or ignores would be inherited, by mpirun and by what it starts.
void reset_signals() {
    for (const int signal_number : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD, SIGPIPE, SIGTSTP,
                                    SIGCONT, SIGTTIN, SIGTTOU, SIGQUIT, SIGXFSZ})
        std::signal(signal_number, SIG_DFL);
    std::signal(SIGHUP, is_hangup_ignored() ? SIG_IGN : SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

// In the child: becomes mpirun, or ends.
[[noreturn]] void become(const std::vector<std::string>& command, int standard_error,
                         pid_t parent) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGUSR1);
    if (::getppid() != parent) ::_exit(kProgramNotStarted);  // it died before prctl
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    give_back_standard_output();
    ::dup2(standard_error, STDERR_FILENO);
    reset_signals();
    std::vector<char*> arguments;
    for (const std::string& argument : command) {
        arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    ::execvp(arguments.front(), arguments.data());
    ::_exit(kProgramNotStarted);
}

}  // namespace

void Descriptor::close() {
    if (value_ >= 0) ::close(std::exchange(value_, -1));
}

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw Failure(kExitSystem, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
    }
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

pid_t start_mpirun(const std::vector<std::string>& command, int standard_error, bool is_local) {
    prepare_environment(is_local);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) {
        throw Failure(kExitSystem, fmt::format("cannot start mpirun: {}", std::strerror(errno)));
    }
    if (child == 0) become(command, standard_error, parent);
    ::setpgid(child, child);  // in both, whoever comes first
    return child;
}

}  // namespace lockstep::pipeline
