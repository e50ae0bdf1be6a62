#pragma once

// Text of a user's, made inert by the place it stands in.

#include <string>
#include <string_view>

namespace lockstep::reports {

// For text and for attribute values in double quotes, in HTML and in SVG: & < > " ' become
// entities. Control characters, marks that turn the direction of writing, and bytes that are no
// UTF-8 come out as terminal_text() writes them.
std::string html_text(std::string_view text);

// JSON inside a <script> element: < > & and U+2028, U+2029 become \u escapes, so that no text ends
// the element or begins a comment in it.
std::string script_json(std::string_view json);

// The same as html_text() for text of several lines: line feeds and tabs stay.
std::string html_lines(std::string_view text);

}  // namespace lockstep::reports
