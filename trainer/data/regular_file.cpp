#include "trainer/data/regular_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <system_error>

#include "trainer/config/errors.hpp"

namespace lockstep::trainer {

namespace {

using Kind = DataError::Kind;

std::string text_of(int error) { return std::generic_category().message(error); }

// O_NONBLOCK: opening a FIFO would wait for a writer. Throws DataError.
int open_to_read(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor >= 0) return descriptor;
    if (errno == ENOENT)
        throw DataError(Kind::missing, fmt::format("{}: there is no such file", path));
    throw DataError(errno == EIO ? Kind::unreadable : Kind::missing,
                    fmt::format("{} cannot be opened: {}", path, text_of(errno)));
}

}  // namespace

RegularFile::Descriptor::~Descriptor() {
    if (number_ >= 0) ::close(number_);
}

RegularFile::RegularFile(const std::filesystem::path& path)
    : path_(path.string()), file_(open_to_read(path_)) {
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        throw DataError(Kind::damaged, fmt::format("{} is not a regular file", path_));
    }
    size_ = status.st_size;
}

void RegularFile::read(std::span<std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const ssize_t got = ::read(file_.get(), bytes.data(), bytes.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            throw DataError(Kind::unreadable,
                            fmt::format("{} cannot be read: {}", path_, text_of(errno)));
        if (got == 0)
            throw DataError(
                Kind::damaged,
                fmt::format("{} cannot be read: it became shorter while it was read", path_));
        bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
}

}  // namespace lockstep::trainer
