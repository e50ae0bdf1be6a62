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

std::string errno_text() { return std::generic_category().message(errno); }

}  // namespace

RegularFile::RegularFile(const std::filesystem::path& path) : path_(path.string()) {
    // O_NONBLOCK: opening a FIFO would wait for a writer.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0 && errno == ENOENT) {
        throw DataError(Kind::missing, fmt::format("{}: there is no such file", path_));
    }
    if (descriptor >= 0) file_.reset(::fdopen(descriptor, "rb"));
    if (!file_) {
        const std::string reason = errno_text();
        if (descriptor >= 0) ::close(descriptor);
        throw DataError(Kind::missing, fmt::format("{} cannot be opened: {}", path_, reason));
    }
    struct stat status {};
    if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        throw DataError(Kind::damaged, fmt::format("{} is not a regular file", path_));
    }
    size_ = status.st_size;
}

void RegularFile::read(std::span<std::uint8_t> bytes) {
    if (std::fread(bytes.data(), 1, bytes.size(), file_.get()) == bytes.size()) return;
    const std::string reason =
        std::ferror(file_.get()) != 0 ? errno_text() : "it became shorter while it was read";
    throw DataError(Kind::damaged, fmt::format("{} cannot be read: {}", path_, reason));
}

std::string with_commas(std::int64_t number) {
    std::string text = std::to_string(number);
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
        text.insert(static_cast<std::size_t>(at), 1, ',');
    return text;
}

}  // namespace lockstep::trainer
