#include "storage/files/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include "liveness/fault_point.hpp"
#include "storage/files/durability.hpp"
#include "storage/files/file_descriptor.hpp"
#include "storage/files/process_life.hpp"
#include "storage/files/sha256.hpp"
#include "storage/files/storage_error.hpp"
#include "storage/files/this_host.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using Kind = StorageError::Kind;

constexpr std::string_view kTemporaryMark = ".tmp.";
constexpr std::chrono::hours kForeignTemporaryAge{1};

Kind kind_of(int error, Kind otherwise) {
    switch (error) {
        case EACCES:
        case EPERM:
        case EROFS:
            return Kind::no_permission;
        case ENOENT:
        case ENOTDIR:
        case EISDIR:
        case ENAMETOOLONG:
        case ELOOP:
        case EEXIST:
        case ENOTEMPTY:
            return otherwise;
        default:
            return Kind::io;
    }
}

// `failed` reads "cannot write"; `unreachable` is the kind for a path that leads nowhere.
[[noreturn]] void throw_errno(int error, std::string_view failed, const fs::path& path,
                              Kind unreachable) {
    throw StorageError(
        kind_of(error, unreachable),
        fmt::format("{} {}: {}", failed, path.string(), std::generic_category().message(error)));
}

// Removes a file at the end of the scope unless it was kept.
class TemporaryName {
public:
    explicit TemporaryName(fs::path path) : path_(std::move(path)) {}
    ~TemporaryName() {
        if (!path_.empty()) ::unlink(path_.c_str());
    }
    TemporaryName(const TemporaryName&) = delete;
    TemporaryName& operator=(const TemporaryName&) = delete;
    const fs::path& path() const { return path_; }
    void release() { path_.clear(); }

private:
    fs::path path_;
};

// Of whom on which host, in which name space of processes: "node7-4026531836".
std::string owner_place() {
    std::string host = host_name();
    if (host.empty()) host = "localhost";
    std::ranges::replace(host, '/', '_');
    const std::string space = pid_namespace();
    const std::size_t digits = space.find_first_of("0123456789");
    if (digits == std::string::npos) return host;
    return fmt::format("{}-{}", host, space.substr(digits, space.find(']') - digits));
}

fs::path folder_of(const fs::path& path) {
    return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

FileDescriptor create_new(const fs::path& path) {
    constexpr int kFlags = O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC;
    FileDescriptor file(::open(path.c_str(), kFlags, 0666));
    if (!file.is_open() && errno == EEXIST) {
        // Of an earlier process with our host and number, as containers have them.
        ::unlink(path.c_str());
        return FileDescriptor(::open(path.c_str(), kFlags, 0666));
    }
    return file;
}

void write_all(const FileDescriptor& file, std::span<const std::byte> content,
               const fs::path& path) {
    while (!content.empty()) {
        const ssize_t written = ::write(file.get(), content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throw_errno(errno, "cannot write", path, Kind::io);
        content = content.subspan(static_cast<std::size_t>(written));
    }
}

void rename_over(const fs::path& from, const fs::path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) {
        throw_errno(errno, "cannot put a file in the place of", to, Kind::cannot_create);
    }
}

// Leaves `content` durable under the temporary name. `path` is the name for messages.
template <class BeforeSync>
void write_durably(const fs::path& temporary, std::span<const std::byte> content,
                   const fs::path& path, BeforeSync before_sync) {
    FileDescriptor file = create_new(temporary);
    if (!file.is_open()) throw_errno(errno, "cannot create", path, Kind::cannot_create);
    write_all(file, content, path);
    before_sync();
    // A failed fsync is final: what the kernel dropped, a second one would call written.
    if (::fsync(file.get()) != 0) throw_errno(errno, "cannot make durable", path, Kind::io);
    if (file.close() != 0) throw_errno(errno, "cannot write", path, Kind::io);
}

// `previous` empty: nothing is kept.
SavedFile replace(const fs::path& previous, const fs::path& path,
                  std::span<const std::byte> content, const BeforeNaming& before_naming) {
    std::error_code unknown;
    if (fs::is_directory(path, unknown)) {
        throw_errno(EISDIR, "cannot write", path, Kind::cannot_create);
    }
    TemporaryName temporary(temporary_name(path));
    // Checkpoints are the files of which the one before is kept.
    const auto checkpoint_point = [&](std::string_view point) {
        if (!previous.empty()) liveness::fault_point(point);
    };
    write_durably(temporary.path(), content, path, [&] { checkpoint_point("ckpt.before_fsync"); });
    checkpoint_point("ckpt.before_rename");
    if (before_naming) before_naming();
    const bool is_kept = !previous.empty() && fs::exists(path, unknown);
    if (is_kept) rename_over(path, previous);
    try {
        rename_over(temporary.path(), path);
    } catch (const StorageError&) {
        if (is_kept) ::rename(previous.c_str(), path.c_str());
        throw;
    }
    temporary.release();
    checkpoint_point("ckpt.after_rename");
    sync_folder(folder_of(path));
    return {static_cast<std::int64_t>(content.size()), sha256_hex(content)};
}

FileDescriptor open_regular(const fs::path& path, struct stat& status) {
    // O_NONBLOCK: opening a FIFO would wait for a writer.
    FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!file.is_open()) throw_errno(errno, "cannot read", path, Kind::missing);
    if (::fstat(file.get(), &status) != 0) throw_errno(errno, "cannot read", path, Kind::io);
    if (!S_ISREG(status.st_mode)) {
        throw StorageError(Kind::bad_data,
                           fmt::format("cannot read {}: not a regular file", path.string()));
    }
    return file;
}

// Of the machine, in bytes; no limit where the system does not tell.
std::int64_t physical_memory() {
    const std::int64_t pages = ::sysconf(_SC_PHYS_PAGES);
    const std::int64_t page = ::sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? pages * page : INT64_MAX;
}

// Where memory is short, a system kills instead of refusing: so the size is looked at first.
void check_size(std::int64_t bytes, std::int64_t most, const fs::path& path) {
    const auto refuse = [&](std::string_view limit, std::int64_t limit_bytes) {
        throw StorageError(Kind::bad_data, fmt::format("cannot read {}: it has {} bytes, {} {}",
                                                       path.string(), bytes, limit, limit_bytes));
    };
    if (bytes > most) refuse("expected at most", most);
    if (bytes > physical_memory()) refuse("and this machine a memory of", physical_memory());
}

struct TemporaryOwner {
    std::string host;
    pid_t pid = 0;
};

// NAME.tmp.HOST.PID -> host and process; nothing for any other name.
std::optional<TemporaryOwner> owner_of(const std::string& name) {
    const std::size_t mark = name.rfind(kTemporaryMark);
    const std::size_t dot = name.rfind('.');
    if (mark == std::string::npos || mark == 0) return std::nullopt;
    const std::size_t host = mark + kTemporaryMark.size();
    if (dot <= host) return std::nullopt;
    TemporaryOwner owner{name.substr(host, dot - host), 0};
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + dot + 1, end, owner.pid);
    if (error != std::errc{} || stop != end || owner.pid <= 0) return std::nullopt;
    return owner;
}

bool is_abandoned(const TemporaryOwner& owner, const fs::path& file) {
    if (owner.host == owner_place()) {
        return owner.pid == ::getpid() || is_process_gone(owner.pid);
    }
    std::error_code vanished;
    const auto written = fs::last_write_time(file, vanished);
    return !vanished && fs::file_time_type::clock::now() - written > kForeignTemporaryAge;
}

}  // namespace

fs::path temporary_name(const fs::path& path) {
    fs::path name = path;
    name += fmt::format("{}{}.{}", kTemporaryMark, owner_place(), ::getpid());
    return name;
}

TemporaryFile temporary_file(const fs::path& path) {
    const auto owner = owner_of(path.filename().string());
    if (!owner) return TemporaryFile::no;
    return is_abandoned(*owner, path) ? TemporaryFile::abandoned : TemporaryFile::in_use;
}

SavedFile replace_file(const fs::path& path, std::span<const std::byte> content,
                       const BeforeNaming& before_naming) {
    return replace({}, path, content, before_naming);
}

SavedFile replace_file(const fs::path& path, std::string_view content) {
    return replace({}, path, std::as_bytes(std::span(content.data(), content.size())), {});
}

SavedFile replace_file_keeping(const fs::path& previous, const fs::path& path,
                               std::span<const std::byte> content,
                               const BeforeNaming& before_naming) {
    return replace(previous, path, content, before_naming);
}

void rename_file(const fs::path& from, const fs::path& to) {
    rename_over(from, to);
    sync_folder(folder_of(to));
}

Bytes read_file(const fs::path& path, std::int64_t most) {
    struct stat status {};
    const FileDescriptor file = open_regular(path, status);
    check_size(status.st_size, most, path);
    Bytes content(static_cast<std::size_t>(status.st_size));
    std::size_t length = 0;
    while (length < content.size()) {
        const ssize_t got = ::read(file.get(), content.data() + length, content.size() - length);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw_errno(errno, "cannot read", path, Kind::io);
        if (got == 0) break;  // it shrank meanwhile
        length += static_cast<std::size_t>(got);
    }
    content.resize(length);
    return content;
}

int sweep_temporary_files(const fs::path& folder) {
    std::error_code error;
    fs::directory_iterator entries(folder, error);
    if (error) throw_errno(error.value(), "cannot list", folder, Kind::missing);
    int removed = 0;
    for (; entries != fs::directory_iterator(); entries.increment(error)) {
        const auto owner = owner_of(entries->path().filename().string());
        if (!owner || !is_abandoned(*owner, entries->path())) continue;
        std::error_code vanished;
        if (fs::remove(entries->path(), vanished)) ++removed;
    }
    return removed;
}

}  // namespace lockstep::storage
