#include "pipeline/training/run_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"

namespace lockstep::pipeline {

RunLock::RunLock(const std::filesystem::path& run_folder)
    : descriptor_(::open((run_folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    // A file system without locks (ENOLCK, ENOSYS) cannot tell, and must not forbid.
    const bool is_held =
        descriptor_ >= 0 && ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (descriptor_ >= 0 && !is_held) return;
    const std::string reason =
        is_held ? "another process is training this run" : std::strerror(errno);
    if (descriptor_ >= 0) ::close(descriptor_);
    throw Failure(kExitCannotCreate, fmt::format("{}: {}", run_folder.string(), reason));
}

RunLock::~RunLock() { ::close(descriptor_); }

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
