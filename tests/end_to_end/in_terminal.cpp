#include "tests/end_to_end/in_terminal.hpp"

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

namespace lockstep::tests {

InTerminal::InTerminal(const std::vector<std::string>& command) {
    const winsize size{.ws_row = 24, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
    pid_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
    if (pid_ != 0) return;
    std::vector<char*> words;
    for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ::execvp(words.front(), words.data());
    ::_exit(127);
}

InTerminal::~InTerminal() {
    ::kill(pid_, SIGKILL);
    ::close(terminal_);
}

void InTerminal::type(const std::string& keys) const {
    if (::write(terminal_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size()))
        throw std::runtime_error("the terminal takes no keys");
}

const std::string& InTerminal::read_until(const std::string& text) {
    std::array<char, 4096> buffer{};
    while (text.empty() || shown_.find(text) == std::string::npos) {
        const ssize_t count = ::read(terminal_, buffer.data(), buffer.size());
        if (count <= 0) break;  // EIO: nobody is there any more
        shown_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return shown_;
}

int InTerminal::wait() const {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace lockstep::tests
