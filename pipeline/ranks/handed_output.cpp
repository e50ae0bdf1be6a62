#include "pipeline/ranks/handed_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "pipeline/progress/standard_output.hpp"
#include "pipeline/ranks/rank_environment.hpp"

namespace lockstep::pipeline {
namespace {

constexpr const char* kName = "lockstep-output";
constexpr const char* kVariable = "LOCKSTEP_OUTPUT";  // its path

// Not another file that this path leads to on another machine.
bool is_output_file(const std::string& path) {
    std::error_code error;
    const std::string target = std::filesystem::read_symlink(path, error).string();
    return !error && target.starts_with(fmt::format("/memfd:{}", kName));
}

}  // namespace

HandedOutput::HandedOutput() : file_(::memfd_create(kName, MFD_CLOEXEC)) {
    if (file_ < 0) return;
    ::setenv(kVariable, fmt::format("/proc/{}/fd/{}", ::getpid(), file_).c_str(), 1);
}

HandedOutput::~HandedOutput() {
    if (file_ < 0) return;
    ::unsetenv(kVariable);
    ::close(file_);
}

void HandedOutput::print() const {
    if (file_ < 0) return;
    std::array<char, 65536> bytes{};
    off_t at = 0;
    for (ssize_t count; (count = ::pread(file_, bytes.data(), bytes.size(), at)) > 0; at += count) {
        pipeline::print({bytes.data(), static_cast<std::size_t>(count)});
    }
}

void hand_output_over() {
    const char* path = std::getenv(kVariable);
    if (path == nullptr || !is_started_as_rank() || rank_from_environment() != 0) return;
    if (!is_output_file(path)) return;
    const int file = ::open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file < 0) return;
    replace_standard_output(file);
    ::close(file);
}

}  // namespace lockstep::pipeline
