#pragma once

// Where the words of a table's cells may be broken: at places that read well, so that a column's
// least width is that of its longest part, never of a letter.

#include <cstddef>
#include <string>
#include <string_view>

namespace lockstep::reports {

// Letters that are never broken inside, unless a word is longer and has no place of its own.
inline constexpr std::size_t kWholeLetters = 14;

// Markup with <wbr> in its words of more than 11 letters: behind '_', '/', ':', '=', '-', and '.'
// or ',' before a letter, and after every 12 letters where a part has more than 14. Tags, entities
// and drawings stay as they are.
std::string with_line_breaks(std::string_view html);

// The width of the longest part that no line break divides, in letters of usual width, of markup
// that with_line_breaks() gave. `is_one_line`: blanks are none either, only elements that begin a
// line of their own are.
double longest_part(std::string_view html, bool is_one_line);

}  // namespace lockstep::reports
