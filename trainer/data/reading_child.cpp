#include "trainer/data/reading_child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
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
#include <string_view>
#include <utility>

#include "trainer/config/errors.hpp"

namespace lockstep::trainer {

enum class ReadingChild::Kind : std::uint8_t { piece, end, refused, no_memory, other };

// In front of the bytes of each kind; of `refused` they are the error's kind, and its words.
struct ReadingChild::Head {
    Kind kind;
    std::uint32_t bytes;
};

namespace {

constexpr int kSilence = 120'000;  // milliseconds

// A damaged length would have the child take all memory of the machine, and others killed for it.
void limit_memory() {
    constexpr rlim_t kMost = rlim_t{2} << 30;
    rlim_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit{};
    if (pages == 0 || ::getrlimit(RLIMIT_AS, &limit) != 0) return;
    limit.rlim_cur =
        std::min(limit.rlim_cur, pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + kMost);
    ::setrlimit(RLIMIT_AS, &limit);
}

// No core file, no word of libc's, no handlers of MPI's or a sanitizer's.
void end_in_silence() {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
    for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGPIPE})
        std::signal(signal, SIG_DFL);
}

void write_all(int file, const void* bytes, std::size_t count) {
    for (const char* at = static_cast<const char*>(bytes); count > 0;) {
        const ssize_t written = ::write(file, at, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) ::_exit(1);  // the reader is gone
        at += written;
        count -= static_cast<std::size_t>(written);
    }
}

std::span<const std::uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

bool may_read_in_child() { return std::getenv("PMIX_RANK") == nullptr; }

void ReadingChild::tell(int pipe, Kind kind, std::span<const std::uint8_t> bytes) {
    Head head{};  // with the bytes between its members
    head.kind = kind;
    head.bytes = static_cast<std::uint32_t>(bytes.size());
    write_all(pipe, &head, sizeof head);
    write_all(pipe, bytes.data(), bytes.size());
}

void ReadingChild::serve(int pipe, const std::function<void(const Tell&)>& read) {
    limit_memory();
    end_in_silence();
    try {
        read([pipe](std::span<const std::uint8_t> piece) { tell(pipe, Kind::piece, piece); });
        tell(pipe, Kind::end, {});
    } catch (const DataError& error) {
        const std::string words = static_cast<char>(error.kind()) + std::string(error.what());
        tell(pipe, Kind::refused, bytes_of(words));
    } catch (const std::bad_alloc&) {
        tell(pipe, Kind::no_memory, {});
    } catch (const std::exception& error) {
        tell(pipe, Kind::other, bytes_of(error.what()));
    }
    ::_exit(0);
}

ReadingChild::ReadingChild(std::string origin, const std::function<void(const Tell&)>& read)
    : origin_(std::move(origin)) {
    std::array<int, 2> ends{};
    const pid_t reader = ::getpid();
    if (::pipe2(ends.data(), O_CLOEXEC) == 0) {
        child_ = ::fork();
        if (child_ == 0) {
            ::close(ends[0]);  // else nobody would be missed who reads no more
            // The reader may be killed: what it has opened must not outlive it here.
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (::getppid() != reader) ::_exit(1);
            serve(ends[1], read);
        }
        ::close(ends[1]);  // else the end of what is told would never come
        pipe_ = ends[0];
    }
    if (child_ > 0) return;
    const int reason = errno;
    if (pipe_ >= 0) ::close(pipe_);
    throw DataError(DataError::Kind::unreadable, fmt::format("{}: no process to read it in ({})",
                                                             origin_, std::strerror(reason)));
}

ReadingChild::~ReadingChild() {
    ::close(pipe_);
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

void ReadingChild::throw_ended() {
    int status = 0;
    ::kill(child_, SIGKILL);  // if it is silent; one that has ended keeps its signal
    while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
        throw_damaged(origin_,
                      fmt::format("it is damaged in a way that ends its library (signal {})",
                                  WTERMSIG(status)));
    throw_damaged(origin_, "it is damaged, or there is no memory to read it");
}

void ReadingChild::read_all(void* bytes, std::size_t count) {
    for (char* at = static_cast<char*>(bytes); count > 0;) {
        pollfd ready{pipe_, POLLIN, 0};
        const int events = ::poll(&ready, 1, kSilence);
        if (events < 0 && errno == EINTR) continue;
        const ssize_t got = events > 0 ? ::read(pipe_, at, count) : 0;
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) throw_ended();
        at += got;
        count -= static_cast<std::size_t>(got);
    }
}

std::optional<std::vector<std::uint8_t>> ReadingChild::next() {
    Head head{};
    read_all(&head, sizeof head);
    std::vector<std::uint8_t> bytes(head.bytes);
    read_all(bytes.data(), bytes.size());
    if (head.kind == Kind::piece) return bytes;
    if (head.kind == Kind::end) return std::nullopt;
    if (head.kind == Kind::no_memory) throw std::bad_alloc();
    const std::string words(bytes.begin(), bytes.end());
    if (head.kind == Kind::refused && !words.empty())
        throw DataError(static_cast<DataError::Kind>(words.front()), words.substr(1));
    throw_damaged(origin_, fmt::format("it is damaged ({})", words));
}

}  // namespace lockstep::trainer
