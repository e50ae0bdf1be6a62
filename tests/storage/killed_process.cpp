#include "tests/storage/killed_process.hpp"

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <stdexcept>

namespace lockstep::storage {
namespace {

// Marks stops at system calls, as those of a SIGTRAP are not.
constexpr int kAtCall = SIGTRAP | 0x80;

[[noreturn]] void work_traced(const std::function<void()>& work) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    int status = 1;
    try {
        work();
        status = 0;
    } catch (const std::exception&) {
    }
    _exit(status);
}

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

// To the next entry of a call or return from one; its status.
int go_on(pid_t child) {
    ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    return wait_for(child);
}

}  // namespace

bool is_killed_at_call(int n, const std::function<void()>& work) {
    const pid_t child = ::fork();
    if (child == 0) work_traced(work);
    int status = wait_for(child);
    const auto options = static_cast<long>(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    if (!WIFSTOPPED(status) || ::ptrace(PTRACE_SETOPTIONS, child, nullptr, options) != 0)
        throw std::runtime_error("the process cannot be traced");
    go_on(child);  // the return from the call that raised SIGSTOP
    for (int stops = 0;; ++stops) {
        status = go_on(child);
        if (!WIFSTOPPED(status)) break;
        const bool is_entry = stops % 2 == 0;
        if (WSTOPSIG(status) != kAtCall) throw std::runtime_error("an unexpected signal");
        if (!is_entry || stops / 2 + 1 < n) continue;
        ::kill(child, SIGKILL);
        wait_for(child);
        return true;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error("the work failed");
    return false;
}

}  // namespace lockstep::storage
