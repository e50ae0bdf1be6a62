#include "pipeline/training/run_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"

namespace lockstep::pipeline {

std::optional<RunLock> RunLock::take(const std::filesystem::path& run_folder) {
    const int descriptor =
        ::open((run_folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) {
        const bool is_forbidden = errno == EACCES || errno == EPERM || errno == EROFS;
        throw Failure(is_forbidden ? kExitNoPermission : kExitCannotCreate,
                      fmt::format("cannot open {}: {}", (run_folder / "lock").string(),
                                  std::strerror(errno)));
    }
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return RunLock(descriptor, true);
    if (errno != EWOULDBLOCK) return RunLock(descriptor, false);  // ENOLCK, ENOSYS, ...
    ::close(descriptor);
    return std::nullopt;
}

RunLock::~RunLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

RunLock::RunLock(RunLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), is_held_(other.is_held_) {}

RunLock& RunLock::operator=(RunLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(is_held_, other.is_held_);
    return *this;
}

RunLock RunLock::require(const std::filesystem::path& run_folder) {
    std::optional<RunLock> lock = take(run_folder);
    if (lock) return std::move(*lock);
    throw Failure(kExitCannotCreate,
                  fmt::format("{}: another process is training this run", run_folder.string()));
}

RunHolder holder_of(const std::filesystem::path& run_folder) {
    const int descriptor = ::open((run_folder / "lock").c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return errno == ENOENT ? RunHolder::nobody : RunHolder::not_told;
    const int result = ::flock(descriptor, LOCK_SH | LOCK_NB);
    const int error = errno;
    ::close(descriptor);
    if (result == 0) return RunHolder::nobody;
    return error == EWOULDBLOCK ? RunHolder::somebody : RunHolder::not_told;
}

}  // namespace lockstep::pipeline
