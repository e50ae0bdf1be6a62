#pragma once

// Paths are bytes, TOML is UTF-8: how a path of other bytes is written in a file, and read again.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace lockstep::pipeline {

// Whether the text is UTF-8, as TOML wants it: no overlong forms, no surrogates.
bool is_utf8(std::string_view text);

// A path as text of an experiment file: bytes that are no UTF-8 as ${0xff}, and "${", which would
// name a variable, as "${0x24}{". Reading the path (resolved_path()) gives the same bytes again.
std::string path_text(const std::filesystem::path& path);

// The byte of "0xff", the name in ${0xff}; nothing for any other name, and for NUL.
std::optional<char> byte_named(std::string_view name);

// "~/data" as a shell would expand it, where `home` is known; any other path as it is.
std::string with_home(std::string path, const std::optional<std::string>& home);

// Text with bytes that are no UTF-8 as ${0xff}: of files that this program wrote before it did so.
std::string with_named_bytes(std::string_view text);

// Text for messages and comments: on one line, inert in a terminal, bytes that are no UTF-8 as
// \xff.
std::string printable(std::string_view text);

}  // namespace lockstep::pipeline
