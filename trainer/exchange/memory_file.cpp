#include "trainer/exchange/memory_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

namespace lockstep::trainer {
namespace {

// `ulimit -f` counts files in memory too, and what goes beyond it is a fatal signal.
bool may_be_as_large_as(std::size_t bytes) {
    rlimit limit{};
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && bytes <= limit.rlim_cur;
}

}  // namespace

FileMapping::~FileMapping() {
    if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

FileMapping::FileMapping(FileMapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

std::optional<MemoryFile> MemoryFile::create(std::size_t most_bytes) {
    if (!may_be_as_large_as(most_bytes)) return std::nullopt;
    const int descriptor = memfd_create("lockstep", MFD_CLOEXEC);
    if (descriptor < 0) return std::nullopt;
    return MemoryFile(descriptor);
}

std::optional<MemoryFile> MemoryFile::open_to_read(const Address& address) {
    return open(address, O_RDONLY);
}

std::optional<MemoryFile> MemoryFile::open_to_write(const Address& address) {
    return open(address, O_RDWR);
}

std::optional<MemoryFile> MemoryFile::open(const Address& address, int access) {
    if (address.descriptor < 0) return std::nullopt;
    const std::string path =
        "/proc/" + std::to_string(address.process) + "/fd/" + std::to_string(address.descriptor);
    // Whatever stands there in the world of another container, opening it must not wait.
    const int descriptor = ::open(path.c_str(), access | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return std::nullopt;
    MemoryFile file(descriptor);
    const Address found = file.address();
    const bool is_the_same = found.device == address.device && found.inode == address.inode;
    if (!is_the_same) return std::nullopt;
    return file;
}

MemoryFile::~MemoryFile() {
    if (descriptor_ >= 0) close(descriptor_);
}

MemoryFile::MemoryFile(MemoryFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

MemoryFile::Address MemoryFile::address() const {
    struct stat status {};
    if (fstat(descriptor_, &status) != 0) return {};
    return {.process = getpid(),
            .descriptor = descriptor_,
            .device = status.st_dev,
            .inode = status.st_ino};
}

bool MemoryFile::fill_with_zeros(std::size_t bytes) {
    return posix_fallocate(descriptor_, 0, static_cast<off_t>(bytes)) == 0;
}

bool MemoryFile::append(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return true;
}

std::optional<FileMapping> MemoryFile::map_to_read(std::size_t bytes) const {
    return map(bytes, PROT_READ, 0);
}

std::optional<FileMapping> MemoryFile::map_to_write(std::size_t bytes) const {
    return map(bytes, PROT_READ | PROT_WRITE, MAP_POPULATE);
}

std::optional<FileMapping> MemoryFile::map(std::size_t bytes, int protection, int flags) const {
    void* first = mmap(nullptr, bytes, protection, MAP_SHARED | flags, descriptor_, 0);
    if (first == MAP_FAILED) return std::nullopt;
    return FileMapping({static_cast<std::byte*>(first), bytes});
}

}  // namespace lockstep::trainer
