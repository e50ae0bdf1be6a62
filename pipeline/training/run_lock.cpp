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
        throw Failure(kExitCannotCreate,
                      fmt::format("{}: {}", run_folder.string(), std::strerror(errno)));
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

}  // namespace lockstep::pipeline
