#pragma once

// What stands at a place of a TOML text: a message shows `1e3` as it was written, not 1000.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/settings/toml_depth.hpp"

namespace lockstep::pipeline {

// The text must outlive it.
class WrittenText {
public:
    explicit WrittenText(std::string_view text);

    // The number that begins at this place; empty if there is none.
    std::string number_at(TextPlace place) const;

private:
    std::string_view text_;
    // Where every 128th character of a line stands, so that a number at the end of a long line is
    // found at once too.
    std::vector<std::size_t> marks_;
    std::vector<std::size_t> first_marks_;  // of each line, in marks_
};

}  // namespace lockstep::pipeline
