#include "storage/files/file_system.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/quota.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "storage/files/atomic_file.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;

constexpr long kQuotactlFd = 443;  // on all machines; glibc of Debian 12 has no word for it
constexpr std::int64_t kQuotaBlock = 1024;  // bytes, of limits

struct KnownKind {
    std::int64_t type;
    FileSystemKind kind;
};

// linux/magic.h, and for those outside of the kernel their own sources.
constexpr std::array kKinds{
    KnownKind{0xef53, {"ext4", false}},      KnownKind{0x58465342, {"XFS", false}},
    KnownKind{0x9123683e, {"Btrfs", false}}, KnownKind{0x2fc12fc1, {"ZFS", false}},
    KnownKind{0x01021994, {"tmpfs", false}}, KnownKind{0x794c7630, {"overlayfs", false}},
    KnownKind{0x858458f6, {"ramfs", false}}, KnownKind{0xf2f52010, {"F2FS", false}},
    KnownKind{0x6969, {"NFS", true}},        KnownKind{0x0bd00bd0, {"Lustre", true}},
    KnownKind{0xff534d42, {"CIFS", true}},   KnownKind{0xfe534d42, {"SMB2", true}},
    KnownKind{0x517b, {"SMB", true}},        KnownKind{0x47504653, {"GPFS", true}},
    KnownKind{0x19830326, {"BeeGFS", true}}, KnownKind{0x00c36400, {"Ceph", true}},
    KnownKind{0x65735546, {"FUSE", true}},   KnownKind{0x5346414f, {"AFS", true}},
    KnownKind{0x01021997, {"9P", true}},     KnownKind{0x20030528, {"OrangeFS", true}},
};

int open_for_locking(const fs::path& path) {
    return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

LockSupport try_locks(int first, int second) {
    if (first < 0 || second < 0) return LockSupport::not_tried;
    if (::flock(first, LOCK_EX | LOCK_NB) != 0) return LockSupport::missing;
    const bool is_refused = ::flock(second, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    return is_refused ? LockSupport::works : LockSupport::does_not_exclude;
}

}  // namespace

FileSystemKind file_system_kind(std::int64_t type) {
    const auto found = std::ranges::find(kKinds, type, &KnownKind::type);
    return found == kKinds.end() ? FileSystemKind{} : found->kind;
}

std::optional<std::int64_t> file_system_type(const fs::path& path) {
    struct statfs status {};
    if (::statfs(path.c_str(), &status) != 0) return std::nullopt;
    // Some of these numbers have their highest bit set, and the field's type is signed.
    return static_cast<std::int64_t>(static_cast<std::uint32_t>(status.f_type));
}

std::optional<std::int64_t> free_bytes(const fs::path& path) {
    struct statvfs status {};
    if (::statvfs(path.c_str(), &status) != 0) return std::nullopt;
    if (status.f_blocks == 0) return std::nullopt;  // as file systems of programs may say
    return static_cast<std::int64_t>(status.f_bavail) * static_cast<std::int64_t>(status.f_frsize);
}

std::optional<std::int64_t> quota_bytes_left(const fs::path& path) {
    const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return std::nullopt;
    dqblk quota{};
    const long result =
        ::syscall(kQuotactlFd, folder, QCMD(Q_GETQUOTA, USRQUOTA), ::geteuid(), &quota);
    ::close(folder);
    if (result != 0 || quota.dqb_bhardlimit == 0) return std::nullopt;
    const auto limit = static_cast<std::int64_t>(quota.dqb_bhardlimit) * kQuotaBlock;
    return std::max(std::int64_t{0}, limit - static_cast<std::int64_t>(quota.dqb_curspace));
}

LockSupport lock_support(const fs::path& folder) {
    const fs::path path = temporary_name(folder / "lock-trial");
    const int first = open_for_locking(path);
    const int second = open_for_locking(path);
    const LockSupport support = try_locks(first, second);
    if (first >= 0) ::close(first);
    if (second >= 0) ::close(second);
    ::unlink(path.c_str());
    return support;
}

std::vector<fs::path> entries_of(const fs::path& folder) {
    std::vector<fs::path> entries;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        entries.push_back(entry->path());
    }
    std::ranges::sort(entries);
    return entries;
}

}  // namespace lockstep::storage
