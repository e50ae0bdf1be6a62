#pragma once

// Lines that are kept one after the other, each durable before the next.

#include <filesystem>
#include <string_view>

namespace lockstep::storage {

// Appends `line`, which has no line break, and makes it durable; makes the file where it is
// missing. A line that a crash or a full disk cut short stays one of its own, that no reader of
// whole lines takes for another.
// Throws StorageError (cannot_create, no_permission, io), with the path and the system's reason.
void append_line(const std::filesystem::path& path, std::string_view line);

}  // namespace lockstep::storage
