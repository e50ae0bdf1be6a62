#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace lockstep::tests {

// A program in a terminal of its own, of 100 columns. Killed at the end of its scope.
class InTerminal {
public:
    explicit InTerminal(const std::vector<std::string>& command);
    ~InTerminal();
    InTerminal(const InTerminal&) = delete;
    InTerminal& operator=(const InTerminal&) = delete;

    void type(const std::string& keys) const;
    // What has been shown, once it has the text, or the program has ended; "": at its end.
    const std::string& read_until(const std::string& text);
    int wait() const;  // the exit code; 128 + signal

private:
    pid_t pid_ = -1;
    int terminal_ = -1;
    std::string shown_;
};

}  // namespace lockstep::tests
