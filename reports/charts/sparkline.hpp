#pragma once

// A curve in one line of text.

#include <cstddef>
#include <span>
#include <string>

namespace lockstep::reports {

enum class Glyphs { ascii, unicode };

// A character a value: the lowest and the highest finite one get the lowest and the highest block;
// of more values than `width` every one of `width` equal stretches is drawn by its last value. 'x'
// is no finite number. "" without values. In UTF-8.
std::string sparkline(std::span<const double> values, std::size_t width, Glyphs glyphs);

}  // namespace lockstep::reports
