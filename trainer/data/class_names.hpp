#pragma once

// The names of a data set's classes as a file lists them: one a line, by label.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::trainer {

struct ClassNames {
    std::vector<std::string> names;  // by label; empty where they are not taken
    std::string problem;             // why not: "line 4 is empty"; "" for names that are taken
};

// 2 to 256 different names of 1 to 64 bytes of UTF-8 without control characters. Lines end in a
// line feed, with or without a carriage return; blanks around a name, a byte order mark and empty
// lines at the end do not count. Never throws for what the file is or holds.
ClassNames read_class_names(const std::filesystem::path& path);

// What is wrong with a name by itself: "is empty", "is longer than 64 bytes", ...
std::optional<std::string> fault_of_class_name(std::string_view name);

}  // namespace lockstep::trainer
