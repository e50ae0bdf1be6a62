#pragma once

// How deeply a TOML text nests, told before it is parsed: parsers and destructors of trees recurse,
// and a file must not be able to end the program.

#include <optional>
#include <string_view>

namespace lockstep::pipeline {

struct TextPlace {
    int line = 1;    // from 1
    int column = 1;  // from 1, in characters
};

// The first bracket, or dot of a key, that is more than `most` levels deep. Knows strings and
// comments; takes no notice of whether the text is TOML.
std::optional<TextPlace> first_too_deep(std::string_view text, int most);

}  // namespace lockstep::pipeline
