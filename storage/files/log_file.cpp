#include "storage/files/log_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "storage/files/storage_error.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using Kind = StorageError::Kind;

Kind kind_of(int error) {
    switch (error) {
        case EACCES:
        case EPERM:
        case EROFS:
            return Kind::no_permission;
        case EISDIR:
        case ENOENT:
        case ENOTDIR:
        case ENXIO:  // a FIFO that nobody reads
        case ELOOP:
        case ENAMETOOLONG:
            return Kind::cannot_create;
        default:
            return Kind::io;
    }
}

[[noreturn]] void refuse(const fs::path& path, Kind kind, const std::string& reason) {
    throw StorageError(kind, fmt::format("cannot write {}: {}", path.string(), reason));
}

bool is_regular_file(int descriptor) {
    struct stat status {};
    return ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

void remove_link(const fs::path& path) {
    std::error_code unknown;  // what it is, opening it tells
    if (fs::is_symlink(path, unknown)) fs::remove(path, unknown);
}

FileDescriptor opened(const fs::path& path) {
    remove_link(path);
    FileDescriptor file(::open(
        path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666));
    if (!file.is_open()) refuse(path, kind_of(errno), std::generic_category().message(errno));
    if (!is_regular_file(file.get()))
        refuse(path, Kind::cannot_create, "something that is no file stands there");
    return file;
}

}  // namespace

LogFile::LogFile(const fs::path& path) : file_(opened(path)) {}

void LogFile::write_line(std::string_view line) {
    const std::string text = fmt::format("{}{}\n", is_line_cut_ ? "\n" : "", line);
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t wrote = ::write(file_.get(), text.data() + done, text.size() - done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) break;
        done += static_cast<std::size_t>(wrote);
    }
    if (done > 0) is_line_cut_ = done < text.size();
}

}  // namespace lockstep::storage
