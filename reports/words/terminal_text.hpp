#pragma once

#include <string>
#include <string_view>

namespace lockstep::reports {

// Text of a user's, made inert for a terminal: control characters (ESC, carriage return, C1, ...)
// and marks that turn the direction of writing come out as \x1b, \r, \u202e. Bytes that are no
// UTF-8 come out as \xNN.
std::string terminal_text(std::string_view text);

// Characters of UTF-8 text, as columns of a terminal (double-width ones count once).
std::size_t display_width(std::string_view text);

}  // namespace lockstep::reports
