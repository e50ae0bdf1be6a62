#include "pipeline/verbs/live_line.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace lockstep::pipeline {

void LiveLine::show(const std::string& text) {
    if (!is_shown()) return;
    if (is_open_ && text == shown_) return;
    const auto columns = static_cast<std::size_t>(terminal_.columns) - 1;
    fmt::print(stderr, "\r{:<{}}", text.substr(0, columns), columns);
    std::fflush(stderr);
    is_open_ = true;
    shown_ = text;
}

void LiveLine::clear() {
    if (!is_open_) return;
    show("");
    std::fputc('\r', stderr);
    std::fflush(stderr);
    is_open_ = false;
}

}  // namespace lockstep::pipeline
