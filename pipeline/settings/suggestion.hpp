#pragma once

// "did you mean": the known word nearest to a misspelt one.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lockstep::pipeline {

// The known word with the fewest edits (insert, delete, replace, swap of two neighbours; upper and
// lower case alike) from `word`, if they are few against its length: at most a third of it, and
// one edit for the shortest. The first of equals. What other programs call it counts before that:
// "lr" is learning_rate, "swish" is silu.
std::optional<std::string_view> suggestion(std::string_view word,
                                           std::span<const std::string_view> known);

// `; did you mean "epochs"?`, or empty.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

}  // namespace lockstep::pipeline
