// A disk that fails: preloaded, lets the n-th call of one function fail, once, of those on files or
// folders whose name begins with NAME ("*": any), anywhere below one folder. What to do stands in
// LOCKSTEP_TEST_FAILURE: "FUNCTION NAME N ERRNO FOLDER". With -N all from the n-th on fail, as long
// as FOLDER.space is not there; FUNCTION "writes" means write and pwrite64; statvfs does not fail
// but tells of a full disk. When it happens, FOLDER.failed is made, by which a test knows that
// there was such a call.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>

namespace {

struct Failure {
    std::string function;
    std::string name;
    int number = 0;
    int error = 0;
    std::string folder;
};

const Failure& failure() {
    static const Failure wanted = [] {
        Failure parsed;
        const char* text = std::getenv("LOCKSTEP_TEST_FAILURE");
        std::istringstream(text == nullptr ? "" : text) >> parsed.function >> parsed.name >>
            parsed.number >> parsed.error >> parsed.folder;
        return parsed;
    }();
    return wanted;
}

bool is_meant(std::string_view path) {
    const std::string below = failure().folder + "/";
    const std::string_view name = path.substr(path.rfind('/') + 1);
    return path.starts_with(below) && (failure().name == "*" || name.starts_with(failure().name));
}

bool is_meant(int file) {
    std::array<char, 4096> path{};
    const std::string link = "/proc/self/fd/" + std::to_string(file);
    const ssize_t length = ::readlink(link.c_str(), path.data(), path.size());
    return length > 0 && is_meant({path.data(), static_cast<std::size_t>(length)});
}

// Counts a call; sets errno where it is the one that fails.
template <class File>
bool fails(std::string_view function, File file) {
    static std::atomic<int> calls{0};
    const bool is_write = function == "write" || function == "pwrite64";
    const bool is_it =
        function == failure().function || (is_write && failure().function == "writes");
    if (!is_it || !is_meant(file)) return false;
    const int call = ++calls;
    if (failure().number > 0 && call != failure().number) return false;
    if (call < -failure().number || ::access((failure().folder + ".space").c_str(), F_OK) == 0)
        return false;
    ::close(::open((failure().folder + ".failed").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    errno = failure().error;
    return true;
}

template <class Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t read(int file, void* bytes, std::size_t count) {
    if (fails("read", file)) return -1;
    return next<ssize_t(int, void*, std::size_t)>("read")(file, bytes, count);
}

int fsync(int file) {
    if (fails("fsync", file)) return -1;
    return next<int(int)>("fsync")(file);
}

int fdatasync(int file) {
    if (fails("fdatasync", file)) return -1;
    return next<int(int)>("fdatasync")(file);
}

int rename(const char* from, const char* to) noexcept {
    if (fails("rename", to)) return -1;
    return next<int(const char*, const char*)>("rename")(from, to);
}

int statvfs(const char* path, struct statvfs* status) noexcept {
    const int result = next<int(const char*, struct statvfs*)>("statvfs")(path, status);
    if (fails("statvfs", path)) status->f_bavail = 0;
    return result;
}

ssize_t write(int file, const void* bytes, std::size_t count) {
    if (fails("write", file)) return -1;
    return next<ssize_t(int, const void*, std::size_t)>("write")(file, bytes, count);
}

ssize_t pwrite64(int file, const void* bytes, std::size_t count, off64_t offset) {
    if (fails("pwrite64", file)) return -1;
    return next<ssize_t(int, const void*, std::size_t, off64_t)>("pwrite64")(file, bytes, count,
                                                                             offset);
}

}  // extern "C"
