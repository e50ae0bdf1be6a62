#pragma once

#include <string>

#include "pipeline/progress/progress.hpp"

namespace lockstep::pipeline {

// A line on the terminal that the next one overwrites; nothing where there is no terminal.
class LiveLine {
public:
    explicit LiveLine(const TerminalTraits& terminal) : terminal_(terminal) {}
    ~LiveLine() { clear(); }
    LiveLine(const LiveLine&) = delete;
    LiveLine& operator=(const LiveLine&) = delete;

    bool is_shown() const { return terminal_.is_terminal && terminal_.columns >= 2; }
    void show(const std::string& text);
    void clear();  // so that other output begins on a fresh line

private:
    TerminalTraits terminal_;
    bool is_open_ = false;
    std::string shown_;
};

}  // namespace lockstep::pipeline
