#include "storage/weights/child_reading.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <new>
#include <string>

#include "storage/files/file_descriptor.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::storage {
namespace {

constexpr unsigned kMostSeconds = 120;

// The first byte that a child tells. Behind `refused` comes the error's kind, and its words.
enum class Outcome : char { read, refused, no_memory, other };

void write_all(int file, const void* bytes, std::size_t count) {
    for (const char* at = static_cast<const char*>(bytes); count > 0;) {
        const ssize_t written = ::write(file, at, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) ::_exit(1);  // the reader is gone
        at += written;
        count -= static_cast<std::size_t>(written);
    }
}

void tell(int pipe, Outcome outcome, std::string_view words = {}) {
    write_all(pipe, &outcome, 1);
    write_all(pipe, words.data(), words.size());
}

// A damaged length would have the child take all memory of the machine, and others killed for it.
// What is read is there twice, as values and as what is told of them, and vectors grow by doubling.
void limit_memory(std::size_t file_bytes) {
    constexpr std::size_t kTimesFile = 16;
    constexpr std::size_t kAtLeast = std::size_t{1} << 30;
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit{};
    if (pages == 0 || ::getrlimit(RLIMIT_AS, &limit) != 0) return;
    const rlim_t most = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + kAtLeast +
                        kTimesFile * file_bytes;
    limit.rlim_cur = std::min(limit.rlim_cur, most);
    ::setrlimit(RLIMIT_AS, &limit);
}

// The reader may be killed: what it has opened, a run's lock as well, must not outlive it here.
void end_with(pid_t reader) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != reader) ::_exit(1);  // it died before
}

// In silence: without a core file, a word of libc's, and the handlers that MPI or a sanitizer has
// set.
[[noreturn]] void read_and_tell(int pipe, std::size_t file_bytes,
                                const std::function<Bytes()>& read) {
    limit_memory(file_bytes);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
    for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM, SIGPIPE})
        std::signal(signal, SIG_DFL);
    ::alarm(kMostSeconds);
    try {
        const Bytes bytes = read();
        tell(pipe, Outcome::read);
        write_all(pipe, bytes.data(), bytes.size());
    } catch (const StorageError& error) {
        tell(pipe, Outcome::refused,
             std::string(1, static_cast<char>(error.kind())) + error.what());
    } catch (const std::bad_alloc&) {
        tell(pipe, Outcome::no_memory);
    } catch (const std::exception& error) {
        tell(pipe, Outcome::other, error.what());
    }
    ::_exit(0);
}

Bytes read_to_end(int pipe) {
    Bytes bytes;
    std::array<std::byte, 1 << 16> piece{};
    for (;;) {
        const ssize_t count = ::read(pipe, piece.data(), piece.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return bytes;
        bytes.insert(bytes.end(), piece.begin(), piece.begin() + count);
    }
}

// 0: it ended by itself. Where nobody can know, what it told counts.
int signal_that_ended(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return 0;
    }
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

Bytes content_of(std::string_view origin, Bytes told) {
    using Kind = StorageError::Kind;
    const auto outcome =
        told.empty() ? Outcome::other : static_cast<Outcome>(std::to_integer<char>(told.front()));
    if (!told.empty()) told.erase(told.begin());
    if (outcome == Outcome::read) return told;
    if (outcome == Outcome::no_memory) throw std::bad_alloc();
    std::string words(reinterpret_cast<const char*>(told.data()), told.size());
    if (outcome == Outcome::refused) {
        const auto kind = static_cast<Kind>(words.front());
        throw StorageError(kind, words.substr(1));
    }
    throw StorageError(Kind::bad_data, fmt::format("{}: damaged ({})", origin, words));
}

// mpirun and srun tell every process that they start its rank. Such a one does not fork: memory
// that is pinned for its network would be lost to it on kernels before 5.12, in silence.
bool is_mpi_process() { return std::getenv("PMIX_RANK") != nullptr; }

}  // namespace

std::optional<Bytes> read_in_child(std::string_view origin, std::size_t file_bytes,
                                   const std::function<Bytes()>& read) {
    if (is_mpi_process()) return std::nullopt;
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
    FileDescriptor out(ends[0]);
    FileDescriptor in(ends[1]);
    const pid_t reader = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) return std::nullopt;
    if (child == 0) {
        out.close();  // else nobody would be missed who reads no more
        end_with(reader);
        read_and_tell(in.get(), file_bytes, read);
    }
    in.close();  // else the end of what is told would never come
    Bytes told = read_to_end(out.get());
    const int signal = signal_that_ended(child);
    if (signal == SIGKILL) throw std::bad_alloc();  // the system's answer to want of memory
    if (signal != 0) {
        throw StorageError(
            StorageError::Kind::bad_data,
            fmt::format("{}: damaged in a way that ends libhdf5 (signal {})", origin, signal));
    }
    return content_of(origin, std::move(told));
}

}  // namespace lockstep::storage
