#include "storage/files/append_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "storage/files/durability.hpp"
#include "storage/files/file_descriptor.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using Kind = StorageError::Kind;

[[noreturn]] void throw_errno(int number, const fs::path& path, Kind otherwise) {
    const bool is_forbidden = number == EACCES || number == EPERM || number == EROFS;
    throw StorageError(is_forbidden ? Kind::no_permission : otherwise,
                       fmt::format("cannot append to {}: {}", path.string(),
                                   std::generic_category().message(number)));
}

}  // namespace

void append_line(const fs::path& path, std::string_view line) {
    std::error_code unknown;
    const bool is_new = !fs::exists(path, unknown);
    const FileDescriptor file(
        ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666));
    if (file.get() < 0) throw_errno(errno, path, Kind::cannot_create);
    const std::string text = fmt::format("\n{}\n", line);
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t wrote = ::write(file.get(), text.data() + done, text.size() - done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) throw_errno(errno, path, Kind::io);
        done += static_cast<std::size_t>(wrote);
    }
    if (::fsync(file.get()) != 0) throw_errno(errno, path, Kind::io);
    if (is_new) sync_folder(path.parent_path());
}

}  // namespace lockstep::storage
