#pragma once

// Inside trainer/data only. libhdf5 itself ends the process, or spoils its memory, on some damaged
// files (1.10.8, docs/data.md). So a child process reads, and tells over a pipe.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lockstep::trainer {

// Ranks of MPI must not fork: memory that is pinned for the network would be lost to them on
// kernels before 5.12, in silence. They read themselves, what others have looked at before.
bool may_read_in_child();

class ReadingChild {
public:
    using Tell = std::function<void(std::span<const std::uint8_t> piece)>;

    // `read` runs in the child and tells pieces of bytes, of less than 4 GiB. It has 2 GiB of
    // memory beside this process's. `origin` names in messages what it reads. No other thread may
    // be using the library that it reads with. Throws DataError (unreadable) where the system gives
    // no process.
    ReadingChild(std::string origin, const std::function<void(const Tell&)>& read);
    ~ReadingChild();  // ends it
    ReadingChild(const ReadingChild&) = delete;
    ReadingChild& operator=(const ReadingChild&) = delete;

    // The next piece; nothing behind the last one. Throws what `read` has thrown of DataError and
    // std::bad_alloc, and DataError (damaged) if the child was ended by a signal, or was silent for
    // two minutes.
    std::optional<std::vector<std::uint8_t>> next();

private:
    enum class Kind : std::uint8_t;
    struct Head;
    static void tell(int pipe, Kind kind, std::span<const std::uint8_t> bytes);
    [[noreturn]] static void serve(int pipe, const std::function<void(const Tell&)>& read);
    void read_all(void* bytes, std::size_t count);
    [[noreturn]] void throw_ended();

    std::string origin_;
    int pipe_ = -1;
    pid_t child_ = -1;
};

}  // namespace lockstep::trainer
