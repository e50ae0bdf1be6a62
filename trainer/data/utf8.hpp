#pragma once

// Characters of UTF-8, as The Unicode Standard has them: no overlong forms, no surrogates, nothing
// above U+10FFFF.

#include <cstddef>
#include <string_view>

namespace lockstep::trainer {

// Bytes of the character that a text begins with; 0 if it begins with none.
std::size_t character_length(std::string_view text);

}  // namespace lockstep::trainer
