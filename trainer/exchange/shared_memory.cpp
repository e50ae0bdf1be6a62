#include "trainer/exchange/shared_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <utility>

namespace lockstep::trainer {
namespace {

class FileDescriptor {
public:
    explicit FileDescriptor(int fd) : fd_(fd) {}
    ~FileDescriptor() {
        if (fd_ >= 0) close(fd_);
    }
    FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FileDescriptor& operator=(FileDescriptor&&) = delete;
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;

    int number() const { return fd_; }
    bool is_open() const { return fd_ >= 0; }

private:
    int fd_;
};

// Where the other ranks find rank 0's file, and which file it must then be.
struct Invitation {
    std::int64_t process = 0;
    std::int64_t descriptor = -1;  // -1: rank 0 could not make it
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
};

// A file in memory with all its pages: running out of them later would be a fatal signal.
FileDescriptor create_file(std::size_t bytes) {
    FileDescriptor file(memfd_create("lockstep-exchange", MFD_CLOEXEC));
    if (!file.is_open() || posix_fallocate(file.number(), 0, static_cast<off_t>(bytes)) != 0) {
        return FileDescriptor(-1);
    }
    return file;
}

Invitation invitation_to(const FileDescriptor& file) {
    struct stat status {};
    if (!file.is_open() || fstat(file.number(), &status) != 0) return {};
    return {.process = getpid(),
            .descriptor = file.number(),
            .device = status.st_dev,
            .inode = status.st_ino};
}

FileDescriptor open_file(const Invitation& invitation) {
    if (invitation.descriptor < 0) return FileDescriptor(-1);
    const std::string path = "/proc/" + std::to_string(invitation.process) + "/fd/" +
                             std::to_string(invitation.descriptor);
    FileDescriptor file(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
    const Invitation found = invitation_to(file);
    const bool is_the_same = found.device == invitation.device && found.inode == invitation.inode;
    return is_the_same ? std::move(file) : FileDescriptor(-1);
}

std::span<std::byte> map_file(const FileDescriptor& file, std::size_t bytes) {
    if (!file.is_open()) return {};
    void* first =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file.number(), 0);
    if (first == MAP_FAILED) return {};
    return {static_cast<std::byte*>(first), bytes};
}

}  // namespace

std::optional<SharedMemory> SharedMemory::map(const Communicator& comm, std::size_t bytes) {
    // true on all ranks or on none
    if (comm.split_by_node().size() != comm.size()) return std::nullopt;
    FileDescriptor created(comm.is_root() ? create_file(bytes) : FileDescriptor(-1));
    Invitation invitation = invitation_to(created);
    comm.broadcast(std::as_writable_bytes(std::span(&invitation, 1)));
    SharedMemory memory(map_file(open_file(invitation), bytes));
    // Rank 0 keeps its descriptor open until all have answered.
    if (!comm.all_agree(!memory.bytes().empty())) return std::nullopt;
    return memory;
}

SharedMemory::~SharedMemory() {
    if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : bytes_(std::exchange(other.bytes_, {})) {}

}  // namespace lockstep::trainer
