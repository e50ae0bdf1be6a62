#include "pipeline/recording/provenance.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <csignal>
#include <optional>
#include <sstream>
#include <string_view>

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPatience{1000};
constexpr std::size_t kMostOutput = 1 << 20;  // bytes: enough to know that something changed

// What a command writes, to its end. It is not asked what is wrong: it says nothing, and reads
// nothing.
class QuietCommand {
public:
    explicit QuietCommand(std::vector<std::string> words) {
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
        posix_spawn_file_actions_t files{};
        posix_spawn_file_actions_init(&files);
        posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
        posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        if (::posix_spawnp(&child_, arguments[0], &files, nullptr, arguments.data(), environ) != 0)
            child_ = -1;
        posix_spawn_file_actions_destroy(&files);
        ::close(ends[1]);
        output_ = ends[0];
    }
    ~QuietCommand() {
        if (output_ >= 0) ::close(output_);
        if (child_ > 0) {
            ::kill(child_, SIGKILL);
            ::waitpid(child_, nullptr, 0);
        }
    }
    QuietCommand(const QuietCommand&) = delete;
    QuietCommand& operator=(const QuietCommand&) = delete;

    // None if it fails, or has not ended by then.
    std::optional<std::string> output(Clock::time_point deadline) {
        if (child_ <= 0) return std::nullopt;
        std::string text;
        std::array<char, 4096> part{};
        while (text.size() < kMostOutput) {
            pollfd ready{output_, POLLIN, 0};
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
            if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0)
                return std::nullopt;
            const ssize_t count = ::read(output_, part.data(), part.size());
            if (count <= 0) break;
            text.append(part.data(), static_cast<std::size_t>(count));
        }
        if (text.size() >= kMostOutput) return text;  // it is ended in the destructor
        int status = 0;
        const bool is_gone = ::waitpid(child_, &status, 0) == child_;
        child_ = -1;
        if (!is_gone || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
        return text;
    }

private:
    pid_t child_ = -1;
    int output_ = -1;
};

std::optional<std::string> git(const fs::path& folder, const std::vector<std::string>& words,
                               Clock::time_point deadline) {
    std::vector<std::string> command{"git", "--no-optional-locks", "-c", "core.fsmonitor=false",
                                     "-C",  folder.string()};
    command.insert(command.end(), words.begin(), words.end());
    return QuietCommand(std::move(command)).output(deadline);
}

bool is_plain(char byte) {
    return std::isalnum(static_cast<unsigned char>(byte)) != 0 ||
           std::string_view("-_./=:,+@%").find(byte) != std::string_view::npos;
}

}  // namespace

std::string shell_text(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        if (!text.empty()) text += ' ';
        if (!word.empty() && std::ranges::all_of(word, is_plain)) {
            text += word;
            continue;
        }
        text += '\'';
        for (const char byte : word) {
            if (byte == '\'')
                text += "'\\''";
            else
                text += byte;
        }
        text += '\'';
    }
    return text;
}

std::string describe_source(const fs::path& experiment_file) {
    std::error_code error;
    const fs::path file = fs::absolute(experiment_file, error);
    if (error) return {};
    const Clock::time_point deadline = Clock::now() + kPatience;
    const auto status =
        git(file.parent_path(), {"status", "--porcelain=v2", "--branch", "--untracked-files=no"},
            deadline);
    if (!status) return {};
    constexpr std::string_view kCommit = "# branch.oid ";
    std::string commit;
    bool has_changes = false;
    std::istringstream lines(*status);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(kCommit)) commit = line.substr(kCommit.size());
        has_changes = has_changes || !line.starts_with('#');
    }
    if (commit.empty() || commit.starts_with('(')) return {};  // "(initial)": no commit yet
    const std::string name = file.filename().string();
    const auto known = git(file.parent_path(), {"ls-files", "--", name}, deadline);
    std::string text =
        "commit " + commit + (has_changes ? ", with uncommitted changes" : ", clean");
    if (known && known->empty()) text += ", " + name + " is not in it";
    return text;
}

}  // namespace lockstep::pipeline
